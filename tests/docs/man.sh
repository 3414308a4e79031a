# man.sh - the manual pages against the headers and the command: every public function, every short name and
# every option has a page that says something about it, pages name nothing that is not there, and mandoc
# finds nothing to complain about.
set -u
work=$(mktemp -d) || exit 1
trap 'cd / && rm -rf "$work"' EXIT
cd "$RUNNEL_SOURCE" || exit 1
bad=0

complain() {
    echo "$*"
    bad=$((bad + 1))
}

headers=$(ls include/runnel.h include/runnel/*.h)
pages=$(ls docs/man/man[1-9]/*.[1-9])
# shellcheck disable=SC2086 # lists of files
{
    # Names with arguments that follow RN_API, over line ends, comments and macros left out.
    cat $headers | awk '/^#/ { while (/\\$/) getline; next } { print }' | tr '\n' ' ' |
        sed 's|/\*|\n/*|g; s|\*/|*/\n|g' | grep -v '^/\*' | tr -d '\n' | sed 's/RN_API/\nRN_API/g; s/;/\n/g' |
        grep '^RN_API' | grep -oE '\brn_[a-z0-9_]+\(' | tr -d '(' |
        grep -vxE 'rn_(recv_|send_)chan' # types of channels that functions take and give
    # Short names.
    cat $headers | awk '/^#ifndef RN_NO_SHORT_NAMES/ { on = 1 } on && /^#endif/ { on = 0 } on' |
        grep -oE '^#define [A-Za-z0-9_]+' | cut -d' ' -f2
    # Macros with a prefix that have no short name.
    cat $headers | grep -oE '^#define rn_[a-z0-9_]+' | cut -d' ' -f2 >"$work/long"
    cat $headers | grep -oE '^#define [A-Za-z0-9_]+' | cut -d' ' -f2 | sed 's/^/rn_/' >"$work/short"
    grep -vxFf "$work/short" "$work/long" | grep -v '^rn_guard_'
} | sort -u >"$work/public"
count=$(wc -l <"$work/public")
[ "$count" -ge 100 ] || complain "only $count public names found in the headers"

# Each is the name of a section or is called somewhere in a page: as .Nm or .Fn.
cat $pages | grep -oE '^\.(Nm|Fn|It Fn) [A-Za-z0-9_]+' | sed 's/.* //' | sort -u >"$work/described"
comm -23 "$work/public" "$work/described" >"$work/missing"
while read -r name; do complain "no manual page describes $name"; done <"$work/missing"

# And the other way round.
cat include/runnel.h include/runnel/* | tr -cs 'A-Za-z0-9_' '\n' | sort -u >"$work/names"
for name in $(grep -vxE 'main|runnel' "$work/described"); do
    grep -qx "$name" "$work/names" || complain "a manual page describes $name, which is not in the headers"
done
for reference in $(cat $pages | grep -oE '^\.(It )?Xr (runnel|chan_[a-z]*|rn_[a-z0-9_]*) [137]' |
    sed 's/.*Xr //; s/ /./' | sort -u); do
    [ -f "docs/man/man${reference##*.}/$reference" ] || complain "there is no page $reference"
done
for page in $pages; do
    name=$(basename "${page%.*}")
    [ "$page" = docs/man/man7/runnel.7 ] || grep -qE "Xr $name ${page##*.}" docs/man/man7/runnel.7 ||
        complain "runnel.7 does not lead to $page"
done

# The command's subcommands and long options.
for word in $(grep -oE '\{"[a-z]+", cmd_' cmd/runnel/main.c | cut -d'"' -f2); do
    grep -q "Cm $word" docs/man/man1/runnel.1 || complain "runnel.1 does not describe $word"
done
for option in $(grep -ohE '(^| |\[|")--[a-z]+' cmd/runnel/main.c | grep -o '[a-z]*$' | sort -u |
    grep -vxE 'help|version'); do
    grep -q "Fl Fl $option" docs/man/man1/runnel.1 || complain "runnel.1 does not describe --$option"
done

version=$(sed -n 's/^#define RN_VERSION *"\(.*\)"/\1/p' include/runnel/base.h)
grep -q "^## $version" CHANGELOG.md || complain "CHANGELOG.md has no section $version"

if command -v mandoc >/dev/null 2>&1; then
    for page in $pages; do
        mandoc -Tlint -Wwarning "$page" >"$work/log" 2>&1 || complain "$(cat "$work/log")"
    done
else
    echo "mandoc is not here (Debian package: mandoc): the pages' markup was not looked at"
fi

echo "$count public names, $(echo "$pages" | wc -l) pages; $bad wrong"
[ "$bad" -eq 0 ]
