# Streams and arguments reach the program as they are.
. "$RUNNEL_SOURCE/tests/cmd/common"

cat >echo.c <<'END'
#include <runnel.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    int c;
    while ((c = getchar()) != EOF)
        putchar(c);
    fputs("on stderr\n", stderr);
    return 0;
}
END
printf 'one\ntwo' >in
expect 0 "$runnel" run echo.c a 'b c' '' '*' --seed 5 -o x -- y <in
is out "[a]
[b c]
[]
[*]
[--seed]
[5]
[-o]
[x]
[--]
[y]
one
two"
is err "on stderr
"
[ ! -e x ] || fail "an argument of the program was taken for an option"

# "--" ends the C files: what follows is the program's even if it looks like one.
expect 0 "$runnel" run echo.c -- other.c --race </dev/null
is out "[other.c]
[--race]
"

# A closed standard input stays closed, an empty one is empty.
expect 0 "$runnel" run echo.c </dev/null
is out ""

# The program is named after its source.
cat >name.c <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    (void)argc;
    puts(strrchr(argv[0], '/') + 1);
    return 0;
}
END
mkdir 'a folder'
cp name.c 'a folder/my name.c'
expect 0 "$runnel" run 'a folder/my name.c'
is out "my name
"
