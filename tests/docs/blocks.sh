# runnel-test: timeout=300 not=address,thread
# blocks.sh - what the documents show is true: each C block compiles without a warning, programs run.
#
#   ```c with a main          compiled and run; status 0 is expected
#   <!-- docs: prints -->     the text block after it is exactly what the last program printed
#   <!-- docs: file -->       a C block of declarations: compiled
#   <!-- docs: body -->       a C block of statements: compiled as the body of a function
#   <!-- docs: body DECLARATIONS -->  the same, with these before it
#   <!-- docs: stderr EXAMPLE.c -->   a text block; its lines occur, in this order, on the standard error
#                                     of that example. Positions of code (+0x...) may differ.
#   <!-- docs: shows FILE -->         a block whose lines stand in that file, one after the other
#
# A C block that is none of these fails: nothing in the documents goes unchecked. In manual pages a block is
# a literal display, and its mark the comment before it:  .\" docs: body DECLARATIONS  (program: with a main).
set -u
work=$(mktemp -d) || exit 1
trap 'cd / && rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
here=$RUNNEL_SOURCE/tests/docs
bad=0 programs=0 fragments=0 texts=0

complain() {
    echo "$1"
    [ $# -lt 2 ] || sed 's/^/    /' "$2"
    bad=$((bad + 1))
}

compile() { # SOURCE PROGRAM OPTION...
    source=$1 program=$2
    shift 2
    $CC -std=gnu11 -O1 -g -Wall -Wextra -Werror -I "$RUNNEL_SOURCE/include" -o "$program" "$source" \
        "$@" >"$work/log" 2>&1
}
link_with="$RUNNEL_BUILD/lib/librunnel.a -pthread"

# Each line of the first file is part of a line of the second, in this order; else says which is missing.
in_order() { # WANTED GOT
    awk 'NR == FNR { wanted[++n] = $0; next }
         at < n && index($0, wanted[at + 1]) { at++ }
         END { if (at < n) { print "missing: " wanted[at + 1]; exit 1 } }' "$1" "$2"
}

# The lines of the first file stand in the second, one right after the other.
shown_in() { # WANTED FILE
    awk 'NR == FNR { wanted[++n] = $0; next }
         { line[++m] = $0 }
         END {
             for (i = 0; i + n <= m; i++) {
                 for (k = 1; k <= n && line[i + k] == wanted[k]; k++)
                     ;
                 if (k > n)
                     exit 0
             }
             exit 1
         }' "$1" "$2"
}

check_block() { # DOCUMENT NUMBER LANGUAGE LINE MARK...
    block=$work/blocks/$2.$3 language=$3 place=$1:$4
    shift 4
    mark=${1-}
    [ $# -eq 0 ] || shift
    case $language-$mark in
    c-file)
        fragments=$((fragments + 1))
        { echo '#include <runnel.h>' && cat "$block"; } >"$work/file.c"
        compile "$work/file.c" "$work/file.o" -c -Wno-unused ||
            complain "$place: does not compile" "$work/log"
        ;;
    c-body)
        fragments=$((fragments + 1))
        {
            echo '#include <runnel.h>'
            echo '#include <stdio.h>'
            echo 'void body(void);'
            echo 'void body(void) {'
            echo "$*"
            cat "$block"
            echo '}'
        } >"$work/body.c"
        compile "$work/body.c" "$work/body.o" -c -Wno-unused ||
            complain "$place: does not compile" "$work/log"
        ;;
    c-)
        if ! grep -q '^int main(' "$block"; then
            complain "$place: a C block without main and without a mark"
            return
        fi
        programs=$((programs + 1))
        if ! compile "$block" "$work/program" $link_with; then
            complain "$place: does not compile" "$work/log"
            return
        fi
        timeout 30 "$work/program" >"$work/printed" 2>"$work/log" </dev/null ||
            complain "$place: ended with status $?" "$work/log"
        ;;
    *-prints)
        texts=$((texts + 1))
        diff "$block" "$work/printed" >"$work/log" 2>&1 ||
            complain "$place: the program prints something else" "$work/log"
        ;;
    *-stderr)
        texts=$((texts + 1))
        if ! (cd "$RUNNEL_SOURCE" && compile "$1" "$work/example" $link_with); then
            complain "$place: $1 does not compile" "$work/log"
            return
        fi
        timeout 30 "$work/example" >/dev/null 2>"$work/said" </dev/null
        sed "s|\([ 	]\)$RUNNEL_SOURCE/|\1|; s/ +0x[0-9a-f]*\$//" "$work/said" >"$work/got"
        sed 's/ +0x[0-9a-f]*$//' "$block" >"$work/wanted"
        in_order "$work/wanted" "$work/got" >"$work/log" ||
            complain "$place: $1 says something else" "$work/log"
        ;;
    *-shows)
        texts=$((texts + 1))
        shown_in "$block" "$RUNNEL_SOURCE/$1" || complain "$place: not so in $1"
        ;;
    c-*) complain "$place: unknown mark '$mark'" ;;
    *) [ -z "$mark" ] || complain "$place: the mark '$mark' does not fit a $language block" ;;
    esac
}

for file in "$RUNNEL_SOURCE"/*.md "$RUNNEL_SOURCE"/docs/*.md "$RUNNEL_SOURCE"/docs/man/*/*.[1-9]; do
    [ -f "$file" ] || continue
    rm -rf "$work/blocks" "$work/printed"
    mkdir "$work/blocks"
    case $file in
    *.md) form=blocks.awk ;;
    *) form=displays.awk ;;
    esac
    awk -f "$here/$form" -v out="$work/blocks" "$file" >"$work/list" || bad=$((bad + 1))
    while read -r number language line mark; do
        set -f
        # shellcheck disable=SC2086 # the mark's words
        check_block "${file#"$RUNNEL_SOURCE/"}" "$number" "$language" "$line" $mark
        set +f
    done <"$work/list"
done

echo "$programs programs, $fragments fragments, $texts texts; $bad wrong"
# A check that finds nothing to check has lost its documents.
if [ "$programs" -lt 3 ] || [ "$fragments" -lt 8 ] || [ "$texts" -lt 4 ]; then
    echo "too few: are the documents there?"
    exit 1
fi
[ "$bad" -eq 0 ]
