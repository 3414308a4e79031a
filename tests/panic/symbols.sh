#!/bin/sh
# runnel's reader of symbol and line tables against addr2line: every function of the test program,
# and every 16th byte of each; the program built as DWARF 4 and 5, with and without PIE, and
# stripped. Two and one in a hundred may differ: addr2line takes the file of an inlined function's first
# instruction from elsewhere. Compressed tables are not read: such a program must do without.
# Lines inside of runnel's headers are reported as the statement that uses them, so they are left
# out.
addr2line=$(command -v addr2line) || {
    echo "skipped: no addr2line (Debian package: binutils)"
    exit 77
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# $1: program, $2: step, $3: least number of lines that must agree
compare() {
    "$1" "$2" >"$dir/ours" || {
        echo "$1 failed"
        return 1
    }
    if grep WRONG-FUNCTION "$dir/ours" | grep -v ' _' >"$dir/wrong" && [ "$3" -gt 0 ]; then
        # an alias or a function inside of another one may be named instead, but rarely
        [ "$(wc -l <"$dir/wrong")" -le $(($(wc -l <"$dir/ours") / 100)) ] || {
            head -n 5 "$dir/wrong"
            return 1
        }
    fi
    cut -d ' ' -f 1 "$dir/ours" | "$addr2line" -e "$1" |
        sed -e 's/ (discriminator.*//' >"$dir/lines"
    cut -d ' ' -f 3 "$dir/ours" | paste -d ' ' - "$dir/lines" |
        awk -v least="$3" '
            function norm(s) {
                while (sub("/[^/]*/[.][.]/", "/", s)) {}
                gsub("/[.]/", "/", s)
                sub("^[.]/", "", s)
                return s
            }
            { ours = norm($1); theirs = norm($2) }
            theirs ~ /^[?][?]:/ || theirs ~ /:[?]$/ || theirs ~ /:0$/ { next }
            theirs ~ "/runnel/[a-z]*[.]h:" { next }
            {
                n++
                # a relative name of DWARF 4 lacks the folder of the compilation
                if (ours == theirs || (substr(ours, 1, 1) != "/" &&
                    substr(theirs, length(theirs) - length(ours)) == "/" ours)) good++
                else if (bad++ < 5 && least > 0) print "  " $1 " should be " $2
            }
            END {
                print "  " n + 0 " lines compared, " bad + 0 " differ"
                exit !(least == 0 || (n >= least && bad * 100 <= n + 200))
            }'
}

main=$RUNNEL_BUILD/tests/panic/symbols
echo "as built"
compare "$main" 0 100 || failed=1
compare "$main" 16 1000 || failed=1
for kind in "-gdwarf-5" "-gdwarf-4" "-gdwarf-3" "-gdwarf-5 -no-pie -fno-pie" \
    "-gdwarf-5 -O3 -ffunction-sections -Wl,--gc-sections" "-gdwarf-5 -gz"; do
    echo "$CC $kind"
    # shellcheck disable=SC2086
    "$CC" -std=gnu11 -O1 $kind -I "$RUNNEL_SOURCE/include" \
        "$RUNNEL_SOURCE/tests/panic/symbols.c" "$RUNNEL_SOURCE"/src/panic/*.c \
        "$RUNNEL_BUILD/lib/librunnel.a" -lpthread -o "$dir/prog" || {
        failed=1
        continue
    }
    case $kind in
    *-gz) compare "$dir/prog" 0 0 || failed=1 ;;
    *) compare "$dir/prog" 16 500 || failed=1 ;;
    esac
done
strip -o "$dir/stripped" "$dir/prog" && "$dir/stripped" >/dev/null
[ $? -le 1 ] || {
    echo "the stripped program died"
    failed=1
}
exit $failed
