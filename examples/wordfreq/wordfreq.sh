#!/bin/sh
# wordfreq.sh EXECUTABLE - check that wordfreq counts exactly what coreutils count: in the project's
# sources, and in a folder full of awkward files. Exit status: 0 same, 1 different, 77 cannot check.
set -u
exe=$1
here=$(cd "${0%/*}" && pwd)
LC_ALL=C
export LC_ALL

for tool in find cat tr sed sort uniq mktemp dd cmp; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "SKIP: $tool is missing (package coreutils, findutils, sed or diffutils)"
        exit 77
    fi
done

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# The reference. The echo separates the last word of a file from the first of the next.
reference() {
    find "$@" -type f -exec sh -c 'for f do cat -- "$f"; echo; done' sh {} + |
        tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d' |
        sort | uniq -c | sed 's/^ *//' | sort -k1,1nr -k2
}

failed=0
compare() { # NAME PATH...
    name=$1
    shift
    reference "$@" >"$tmp/want"
    "$exe" "$@" >"$tmp/raw" || failed=1
    sed 's/^ *//' "$tmp/raw" >"$tmp/got"
    words=$(wc -l <"$tmp/want")
    if cmp -s "$tmp/want" "$tmp/got"; then
        echo "same: $name ($((words)) different words)"
    else
        echo "DIFFERENT: $name"
        diff "$tmp/want" "$tmp/got" | head -n 10
        failed=1
    fi
}

mkdir -p "$tmp/odd/deep/er" "$tmp/odd/empty folder"
printf 'no newline at the end' >"$tmp/odd/first"
printf 'and straight on\n' >"$tmp/odd/second"
: >"$tmp/odd/nothing"
printf 'NUL\000in\000between, \303\244\303\266\303\274 caf\303\251 na\303\257ve\r\nCamelCase x1y2z3\n' \
    >"$tmp/odd/deep/bytes"
printf 'hidden words\n' >"$tmp/odd/deep/.hidden"
printf 'spaces in names\n' >"$tmp/odd/deep/er/a name with  spaces"
ln -s ../first "$tmp/odd/deep/link" && ln -s .. "$tmp/odd/deep/loop"
dd if=/dev/zero bs=1024 count=300 2>/dev/null | tr '\000' 'x' >"$tmp/odd/one-word" # > a piece
sed 's/$/ and once more from the top/' "$here"/*.c "$here"/*.c "$here"/*.c "$here"/*.c \
    "$here"/*.c "$here"/*.c "$here"/*.c "$here"/*.c "$here"/*.c >"$tmp/odd/long" # many pieces

compare "awkward files" "$tmp/odd"
compare "a single file" "$here/wordfreq.h"
compare "files and folders" "$here/wordfreq.h" "$tmp/odd/deep" "$here/main.c"
compare "the sources" "$here/../../include" "$here/../../src" "$here/../../examples"

# What cannot be read is reported, and everything else is counted all the same.
"$exe" "$tmp/odd/second" "$tmp/not there" >"$tmp/raw" 2>"$tmp/err"
status=$?
if [ $status -ne 1 ] || ! grep -q 'not there' "$tmp/err" || ! grep -q 'straight' "$tmp/raw"; then
    echo "WRONG: a missing file gave status $status"
    failed=1
fi
exit $failed
