#!/bin/sh
# Compares, case by case, what texts.go prints under Go 1.27 with what texts.c prints: standard
# output, exit status, and standard error up to the first goroutine, then the goroutine's first
# line and the names of the panics in its back-trace. Lines that only C has begin with a tab and a
# word in lower case.
# runnel-test: timeout=300
go=$(command -v go1.27 || ls /usr/lib/go-1.27/bin/go 2>/dev/null || command -v go)
if [ -z "$go" ]; then
    echo "skipped: no Go tool chain (Debian package: golang-1.27-go)"
    exit 77
fi
case $("$go" version) in
*go1.2[7-9]* | *go1.[3-9][0-9]*) ;;
*)
    echo "skipped: the texts are those of Go 1.27, and $go is $("$go" version)"
    exit 77
    ;;
esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp "$RUNNEL_SOURCE/tests/panic/texts.go" "$dir/main.go"
printf 'module texts\n\ngo 1.27\n' >"$dir/go.mod"
(cd "$dir" && GOFLAGS= GOCACHE="$dir/cache" "$go" build -o go-texts .) || exit 1
c=$RUNNEL_BUILD/tests/panic/texts

# What both must have in common of standard error.
common() {
    sed -n -e '/^\t[a-z(][^:]*[,(]/d' -e '/^\trecover() /d' -e '/^\t\t/d' \
        -e '/^goroutine [0-9]/{s/^goroutine [0-9]* /goroutine N /;p;q;}' -e p
}
failed=0
cases=0
for name in $(sed -n 's/^\tcase "\(.*\)":$/\1/p' "$dir/main.go"); do
    "$dir/go-texts" "$name" >"$dir/out1" 2>"$dir/err1"
    echo "status $?" >>"$dir/out1"
    "$c" --child "$name" >"$dir/out2" 2>"$dir/err2"
    echo "status $?" >>"$dir/out2"
    common <"$dir/err1" >>"$dir/out1"
    common <"$dir/err2" >>"$dir/out2"
    cases=$((cases + 1))
    if ! cmp -s "$dir/out1" "$dir/out2"; then
        echo "$name differs (- Go, + runnel):"
        diff -u "$dir/out1" "$dir/out2" | sed 1,2d
        failed=$((failed + 1))
    fi
done
echo "$cases cases, $failed differ"
[ "$cases" -ge 20 ] && [ "$failed" -eq 0 ]
