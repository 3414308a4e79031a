# The program's end is the command's end: exit statuses, signals, and signals to the command.
. "$RUNNEL_SOURCE/tests/cmd/common"

cat >status.c <<'END'
#include <runnel.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "signal") == 0)
        raise(atoi(argv[2]));
    return argc > 1 ? atoi(argv[1]) : 0;
}
END
for status in 0 1 2 3 77 127 255; do
    expect $status "$runnel" run status.c $status
    is err ""
done
expect 134 "$runnel" run status.c signal 6
has err "signal 6"
expect 139 "$runnel" run status.c signal 11
expect 143 "$runnel" run status.c signal 15
is err ""

# A signal to the command alone reaches the program, and the command still tidies up.
cat >wait.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile sig_atomic_t got;
static void on(int sig) { got = sig; }
int main(void)
{
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGHUP);
    sigprocmask(SIG_BLOCK, &block, &old);
    signal(SIGTERM, on);
    signal(SIGHUP, on);
    puts("ready");
    fflush(stdout);
    while (!got)
        sigsuspend(&old);
    printf("got %d\n", (int)got);
    return 40 + got;
}
END
for signal in 15 1; do
    mkfifo pipe
    "$runnel" run wait.c >pipe 2>err &
    pid=$!
    {
        read -r line
        [ "$line" = ready ] || fail "the program said '$line'"
        kill -$signal $pid
        cat >rest
    } <pipe
    wait $pid
    got=$?
    [ $got -eq $((40 + signal)) ] || fail "status $got after signal $signal"
    [ "$(cat rest)" = "got $signal" ] || fail "the program was not told: $(cat rest)"
    [ -z "$(ls -A "$TMPDIR")" ] || fail "left behind in TMPDIR"
    rm pipe
done
