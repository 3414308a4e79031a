# Compiling: errors pass through with status 1, several files, options for the compiler, -o.
. "$RUNNEL_SOURCE/tests/cmd/common"

echo 'int main(void) { return undeclared_name; }' >bad.c
expect 1 "$runnel" run bad.c
has err "bad.c:1"
has err "undeclared_name"
is out ""
expect 1 "$runnel" run nowhere.c
has err "nowhere.c"

# Misuse of a channel's type does not compile.
cat >misuse.c <<'END'
#include <runnel.h>
int main(void)
{
    chan(int) numbers = chan_make(int, 1);
    chan(double) other = numbers;
    chan_close(other);
    return 0;
}
END
expect 1 "$runnel" run misuse.c
has err "misuse.c:5"

# Several files, a header beside them, definitions, levels of optimisation.
mkdir lib
cat >main.c <<'END'
#include <runnel.h>
#include <math.h>
#include <stdio.h>
#include "part.h"
int main(void)
{
    volatile double two = 2;
    printf("%d %s %.3f %s\n", part(), WORD, sqrt(two), LEVEL);
    return 0;
}
END
cat >lib/part.h <<'END'
int part(void);
#ifdef __OPTIMIZE__
#define LEVEL "optimised"
#else
#define LEVEL "plain"
#endif
END
printf '#include "part.h"\nint part(void) { return 42; }\n' >lib/part.c
expect 0 "$runnel" run -Ilib '-DWORD="hello"' main.c lib/part.c
is out "42 hello 1.414 optimised
"
for zero in -O0 "-O 0"; do
    expect 0 "$runnel" run -Ilib '-DWORD="x"' $zero main.c lib/part.c
    has out "plain"
done
expect 0 "$runnel" run -std=c11 -O3 -Ilib '-DWORD="x"' main.c lib/part.c
has out "optimised"

# -o leaves the program where it was asked for.
expect 0 "$runnel" run -Ilib '-DWORD="kept"' -o kept main.c lib/part.c
has out "42 kept"
expect 0 ./kept
has out "42 kept"
mkdir sub
expect 0 "$runnel" run -Ilib '-DWORD="kept"' -o sub/kept main.c lib/part.c
[ -x sub/kept ] || fail "no sub/kept"
