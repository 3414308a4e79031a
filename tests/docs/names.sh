# names.sh - what the documents name exists, and what a user can set is named in them.
#
#  - Links to files lead somewhere.
#  - Paths in `code` that begin with a folder of the project exist; * may stand in them.
#  - Names in `code` that begin with rn_, rn__, RN_, RN__, chan_ or on_ occur in the sources.
#  - `name` in `path` : where the line of a document says so (docs/architecture.md does), name occurs there.
#  - Presets named after --preset exist.
#  - Variables that the library or the command reads, and the keys of RUNNEL_DEBUG, stand in both READMEs.
set -u
work=$(mktemp -d) || exit 1
trap 'cd / && rm -rf "$work"' EXIT
cd "$RUNNEL_SOURCE" || exit 1
bad=0 checked=0

complain() {
    echo "$*"
    bad=$((bad + 1))
}

# Words in `code` outside of fenced blocks, one a line, of one document.
code_words() {
    awk '/^```/ { inside = !inside; next } !inside' "$1" | grep -o '`[^`]*`' | tr -d '`'
}

find include src cmd -name '*.[chS]' -exec cat {} + -o -name '*.hpp' -exec cat {} + >"$work/sources"
tr -cs 'A-Za-z0-9_' '\n' <"$work/sources" | sort -u >"$work/names"

documents="README.md README.zh-CN.md CHANGELOG.md $(ls docs/*.md)"
for document in $documents; do
    folder=$(dirname "$document")
    for link in $(grep -o '](\([^)#:]*\)[^):]*)' "$document" | sed 's/^](//; s/[#)].*//'); do
        checked=$((checked + 1))
        [ -e "$folder/$link" ] || complain "$document: no $link"
    done
    code_words "$document" >"$work/words"
    for path in $(grep -oE '^(src|include|docs|examples|tests|bench|cmake|cmd)/[A-Za-z0-9_./*-]*' "$work/words"); do
        checked=$((checked + 1))
        # shellcheck disable=SC2086 # a pattern
        ls -d $path >/dev/null 2>&1 || complain "$document: no $path"
    done
    for name in $(grep -oE '(^|[^A-Za-z0-9_])(rn__?|RN__?|chan_|on_)[A-Za-z0-9_]+' "$work/words" |
        grep -oE '[A-Za-z0-9_]+' | sort -u); do
        checked=$((checked + 1))
        grep -qx "$name" "$work/names" || complain "$document: nothing is called $name"
    done
    tr '\n' ' ' <"$document" | grep -oE '`[A-Za-z0-9_]+` in +`src/[A-Za-z0-9_./]+`' | tr -d '`' >"$work/where"
    while read -r name _ file; do
        checked=$((checked + 1))
        grep -qw "$name" "$file" || complain "$document: $name is not in $file"
    done <"$work/where"
    for preset in $(grep -o -- '--preset [a-z]*' "$document" | cut -d' ' -f2); do
        checked=$((checked + 1))
        grep -q "\"name\": \"$preset\"" CMakePresets.json || complain "$document: no preset $preset"
    done
done

settings=$(grep -rhoE 'getenv\("RUNNEL_[A-Z_]*"\)' src cmd | grep -o 'RUNNEL_[A-Z_]*' | sort -u)
keys=$(sed -n '/(known: seed=N/,/\\n"/p' src/sched/config.c | grep -oE '[a-z]+=' | sort -u)
[ -n "$settings" ] && [ -n "$keys" ] || complain "src/sched/config.c: where are the settings?"
for readme in README.md README.zh-CN.md; do
    for word in $settings $keys; do
        checked=$((checked + 1))
        grep -qF -- "\`$word" "$readme" || complain "$readme: $word is missing"
    done
done

echo "$checked names and paths; $bad wrong"
[ "$checked" -ge 100 ] || { echo "too few: are the documents there?"; exit 1; }
[ "$bad" -eq 0 ]
