#!/bin/sh
# Compiles what must compile and what must not, and runs the typed layer against a recorder.
#   run.sh             the compilers found here, each with the oldest and the newest standard
#   run.sh --full      each with every standard from C11 and C++11 on
#   run.sh CC STD      one compiler and standard, as in: run.sh gcc c11, run.sh clang++ c++17
# JOBS=n compiles n files at a time (2).
#
#   misuse/X.c, X.cpp   with -DMISUSE it must be an error that matches the regular expression in its
#                       comment `expect:`, with the flags that runnel::strict sets; in C at least a
#                       warning that matches without any flag. Without -DMISUSE it must compile
#                       without a warning, which shows that the error came from the misuse. A .c file
#                       with `expect-c++:` is checked as C++ too.
#   control/X.c, X.cpp  must compile without a warning, without and with optimization.
#   typed/X.c, X.cpp    a program that defines the untyped functions itself and checks what the
#                       macros call; must compile without a warning and end with status 0, from -O0
#                       to -O3. A .c file with `also: c++` is run as C++ too.
#   cost/X.c            its functions, optimized, call nothing but `calls:`, use at most `stack:`
#                       bytes of stack (1000) and, on x86-64, are in all at most `instructions:` long.
# runnel-test: timeout=900
here=$(cd "$(dirname "$0")" && pwd) || exit 2
include=$here/../../include
: "${JOBS:=2}"
warn="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Werror"

# --------------------------------------------------------------------------- one file (--one)

say() { # pass|FAIL, what
    printf '%s\t%s %s %s %s\n' "$1" "$cc" "$std" "${file#"$here"/}" "$2"
    [ "$1" = pass ] || sed 's/^/    /;30q' "$tmp/out"
}

# Runs the compiler; its words end up in $tmp/out.
try() {
    "$cc" $language "-std=$std" "-I$include" "$@" >"$tmp/out" 2>&1
}

must_compile() { # what, flags...
    what=$1
    shift
    if try $warn "$@" && [ ! -s "$tmp/out" ]; then say pass "$what"; else say FAIL "$what"; fi
}

comment() {
    sed -n "s,^// $1: *,,p" "$file"
}

one_misuse() {
    case $std in
    *++*) expect=$(comment 'expect-c++'); [ -n "$expect" ] || expect=$(comment expect) ;;
    *) expect=$(comment expect) ;;
    esac
    [ -n "$expect" ] || { say FAIL "has no expect: comment"; return; }
    must_compile "without the misuse" -O1 -S -o /dev/null "$file"
    if try $strict -fsyntax-only -DMISUSE "$file"; then
        say FAIL "compiles"
    elif grep -Eq -e "$expect" "$tmp/out"; then
        say pass "is refused"
    else
        say FAIL "is refused, but without: $expect"
    fi
    case $std in *++*) return ;; esac
    try -fsyntax-only -DMISUSE "$file"
    if grep -Eq -e "$expect" "$tmp/out"; then
        say pass "is noticed without flags"
    else
        say FAIL "is not noticed without flags"
    fi
}

one_control() {
    for level in -O0 -O2; do
        must_compile "$level" $level -S -o /dev/null "$file"
    done
}

one_typed() {
    library=
    case $std in *++*) library=-lstdc++ ;; esac
    for level in -O0 -O1 -O2 -O3; do
        if ! try $warn $level -g -o "$tmp/prog" "$file" -x none $library || [ -s "$tmp/out" ]; then
            say FAIL "$level: does not compile"
        elif timeout 20 "$tmp/prog" >"$tmp/out" 2>&1; then
            say pass "$level"
        else
            echo "status $?" >>"$tmp/out"
            say FAIL "$level"
        fi
    done
}

one_cost() {
    if ! try $warn -O2 -fno-asynchronous-unwind-tables -fstack-usage -S -o "$tmp/asm.s" "$file"; then
        say FAIL "does not compile"
        return
    fi
    cp "$tmp/asm.s" "$tmp/out"
    calls=$(sed -n 's/^[[:space:]]*\(callq\{0,1\}\|jmp\|bl\{0,1\}\)[[:space:]]\{1,\}\([a-zA-Z_][a-zA-Z_0-9]*\).*/\2/p' \
        "$tmp/asm.s" | sort -u)
    [ -n "$calls" ] || { say FAIL "calls nothing"; return; }
    for name in $calls; do
        case " $(comment calls) " in
        *" $name "*) ;;
        *) say FAIL "calls $name"; return ;;
        esac
    done
    most=$(comment stack)
    used=$(cut -f 2 "$tmp/asm.su" | sort -n | tail -n 1)
    [ "${used:-none}" -le "${most:-1000}" ] || { say FAIL "uses $used bytes of stack"; return; }
    case $("$cc" -dumpmachine) in
    x86_64*)
        n=$(grep -c '^[[:space:]]\{1,\}[a-z]' "$tmp/asm.s")
        [ "$n" -le "$(comment instructions)" ] || { say FAIL "has $n instructions"; return; }
        ;;
    esac
    say pass "cost"
}

if [ "${1-}" = --one ]; then
    cc=$2 std=$3 file=$4
    tmp=$(mktemp -d) || exit 2
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 130' INT TERM
    language="-x c"
    case $std in *++*) language="-x c++" ;; esac
    # What runnel::strict asks for (cmake/), by the names of the compiler at hand.
    strict="-Werror=incompatible-pointer-types -Werror=int-conversion"
    strict="$strict -Werror=implicit-function-declaration"
    case $("$cc" --version) in
    *clang*) strict="$strict -Werror=incompatible-pointer-types-discards-qualifiers" ;;
    *) strict="$strict -Werror=discarded-qualifiers" ;;
    esac
    case $std in *++*) strict= ;; esac
    case $file in
    */misuse/*) one_misuse ;;
    */control/*) one_control ;;
    */typed/*) one_typed ;;
    */cost/*) one_cost ;;
    esac
    exit 0
fi

# ------------------------------------------------------------------------------ all the files

# Which compilers with which standards.
combinations() {
    case ${1-} in
    --full) c="c11 gnu11 c17 gnu17 c2x" cxx="c++11 c++14 c++17 c++20" ;;
    '') c="c11 c2x" cxx="c++11 c++20" ;;
    *) echo "$1 $2"; return ;;
    esac
    for cc in $(printf '%s\n' "${CC:-cc}" gcc clang); do for std in $c; do echo "$cc $std"; done; done
    for cc in $(printf '%s\n' "${CXX:-c++}" g++ clang++); do
        for std in $cxx; do echo "$cc $std"; done
    done
}

# The files that concern a standard.
files() {
    case $1 in
    *++*) ls "$here"/*/*.cpp; grep -lE '^// (expect-c\+\+|also: c\+\+)' "$here"/*/*.c ;;
    *) ls "$here"/*/*.c ;;
    esac
}

log=$(mktemp) || exit 2
seen=$(mktemp) || exit 2
trap 'rm -f "$log" "$seen"' EXIT
trap 'exit 130' INT TERM
combinations "$@" | while read -r cc std; do
    command -v "$cc" >/dev/null 2>&1 || continue
    # cc and gcc are often one; compare what they say about themselves, and not their names.
    if [ $# -ne 2 ]; then
        id=$("$cc" --version 2>/dev/null | sed -n '1s/^[^ ]* //p')
        case $("$cc" --version) in *clang*) id="clang $id" ;; esac
        grep -qxF "$id $std" "$seen" && continue
        echo "$id $std" >>"$seen"
    fi
    files "$std" | sed "s|^|--one $cc $std |" | xargs -P "$JOBS" -L 1 sh "$here/run.sh" >>"$log"
done

grep -v '^pass' "$log"
passed=$(grep -c '^pass' "$log")
failed=$(grep -c '^FAIL' "$log")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
