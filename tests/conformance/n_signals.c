/*
 * n_signals.c - items 179 to 184: signals as values of a channel.
 *
 * Invariants
 *  - Signals go to the whole process, as a user's do. Each item is a process of its own.
 *  - What must not come is excluded by something that comes after it, never by waiting.
 */
#include "../test.h"

#include <sys/resource.h>

static void raise_here(int sig)
{
    CHECK(kill(getpid(), sig) == 0);
}

/* Receives the signal `sig`; a hang fails by the item's time limit. */
static void expect(chan(int) c, int sig)
{
    int got = 0;
    CHECK(chan_recv(c, &got));
    CHECK_EQ(got, sig);
}

ITEM(179, "delivery never blocks: a full channel, and one that nobody waits on, lose the signal")
{
    chan_auto(int) full = chan_make(int, 1);
    chan_auto(int) unready = chan_make(int, 0);
    chan_auto(int) last = chan_make(int, 8);
    /* registered first, served last: when it has the signal, the others have had their turn */
    CHECK_EQ(rn_signal_notify(last, SIGUSR1, SIGUSR2), 0);
    CHECK_EQ(rn_signal_notify(unready, SIGUSR1, SIGUSR2), 0);
    CHECK_EQ(rn_signal_notify(full, SIGUSR1, SIGUSR2), 0);
    raise_here(SIGUSR1);
    expect(last, SIGUSR1);
    raise_here(SIGUSR2);
    expect(last, SIGUSR2);
    CHECK_EQ(chan_len(full), 1);
    expect(full, SIGUSR1);
    CHECK(!chan_try_recv(unready, NULL, NULL));
    rn_signal_stop(full);
    rn_signal_stop(unready);
    rn_signal_stop(last);
}

static void receive_and_tell(void *p)
{
    chan(int) *c = p;
    int sig = 0;
    CHECK(chan_recv(c[0], &sig));
    chan_send(c[1], sig);
}

ITEM(179, "an unbuffered channel gets it when somebody waits, plainly or in a select")
{
    chan_auto(int) c = chan_make(int, 0);
    chan_auto(int) answer = chan_make(int, 0);
    chan(int) both[2] = {c, answer};
    CHECK_EQ(rn_signal_notify(c, SIGUSR1), 0);
    test_go(receive_and_tell, both);
    WAIT_PARKED(1, CHAN_RECEIVE, (rn_hchan *)(void *)c);
    raise_here(SIGUSR1);
    expect(answer, SIGUSR1);
    WAIT_GONE(1);
    kill(getpid(), SIGUSR1); /* lost, or received below: both are right */
    int got = 0;
    for (int k = 1; k == 1;) {
        k = chan_select(on_recv(c, &got), on_after(RN_MS));
        if (k == 1)
            raise_here(SIGUSR1);
    }
    CHECK_EQ(got, SIGUSR1);
    rn_signal_stop(c);
}

static _Atomic(bool) stop_spinning;

static void spin(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop_spinning))
        ;
}

static void *receive_in_thread(void *p)
{
    chan(int) c = *(chan(int) *)p;
    int sig = 0;
    CHECK(chan_recv(c, &sig));
    CHECK_EQ(sig, SIGTERM);
    atomic_store(&stop_spinning, true);
    return NULL;
}

ITEM(179, "delivery needs no worker: all of them compute, a foreign thread receives")
{
    rn_gomaxprocs(1);
    chan_auto(int) c = chan_make(int, 1);
    CHECK_EQ(rn_signal_notify(c, SIGTERM), 0);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, receive_in_thread, &c) == 0);
    raise_here(SIGTERM);
    spin(NULL); /* main is on the only worker, and stays there until it has come */
    pthread_join(t, NULL);
    rn_signal_stop(c);
}

ITEM(179, "a signal that all other threads block comes all the same")
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    chan_auto(int) c = chan_make(int, 1);
    CHECK_EQ(rn_signal_notify(c, SIGHUP), 0);
    raise_here(SIGHUP);
    expect(c, SIGHUP);
    rn_signal_stop(c);
}

ITEM(180, "every channel gets a copy, one may have several signals, no list means all")
{
    chan_auto(int) a = chan_make(int, 4);
    chan_auto(int) b = chan_make(int, 4);
    chan_auto(int) all = chan_make(int, 4);
    CHECK_EQ(rn_signal_notify(all), 0);
    CHECK_EQ(rn_signal_notify(a, SIGUSR1), 0);
    CHECK_EQ(rn_signal_notify(b, SIGUSR1, SIGWINCH), 0);
    CHECK_EQ(rn_signal_notify(a, SIGHUP), 0); /* one more for a */
    static const int sent[] = {SIGUSR1, SIGWINCH, SIGHUP, SIGURG};
    for (int i = 0; i < 4; i++) {
        raise_here(sent[i]);
        expect(all, sent[i]);
    }
    expect(a, SIGUSR1);
    expect(a, SIGHUP);
    expect(b, SIGUSR1);
    expect(b, SIGWINCH);
    rn_signal_stop(a);
    rn_signal_stop(b);
    rn_signal_stop(all);
    CHECK_EQ(chan_len(a) + chan_len(b) + chan_len(all), 0);
}

ITEM(180, "what cannot be asked for is refused, and then nothing is registered")
{
    chan_auto(int) c = chan_make(int, 1);
    CHECK_EQ(rn_signal_notify(c, SIGUSR1, SIGKILL), -EINVAL);
    CHECK_EQ(rn_signal_notify(c, SIGSEGV), -EINVAL);
    CHECK_EQ(rn_signal_notify(c, 65), -EINVAL);
    CHECK_EQ(rn_signal_notify(c, -1), -EINVAL);
    CHECK_EQ(rn_signal_ignore(SIGSTOP), -EINVAL);
    struct sigaction sa;
    CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
}

static _Atomic(int) old_handler_ran;

static void old_handler(int sig)
{
    (void)sig;
    atomic_fetch_add(&old_handler_ran, 1);
}

ITEM(181, "stop: what was there before is back, and nothing more arrives")
{
    signal(SIGUSR1, old_handler);
    chan_auto(int) c = chan_make(int, 64);
    chan_auto(int) other = chan_make(int, 64);
    CHECK_EQ(rn_signal_notify(other, SIGUSR2), 0);
    for (int i = 1; i <= 20; i++) {
        CHECK_EQ(rn_signal_notify(c, SIGUSR1, SIGUSR2), 0);
        raise_here(SIGUSR1);
        raise_here(SIGUSR2);
        rn_signal_stop(c);
        /* both had been sent, so both have been delivered */
        int sum = 0, sig = 0;
        while (chan_try_recv(c, &sig, NULL))
            sum += sig;
        CHECK_EQ(sum, SIGUSR1 + SIGUSR2);
        expect(other, SIGUSR2);
        raise_here(SIGUSR1); /* to the old handler now, on this thread */
        WAIT_UNTIL(atomic_load(&old_handler_ran) == i);
        raise_here(SIGUSR2);
        expect(other, SIGUSR2);
        CHECK_EQ(chan_len(c), 0);
    }
    rn_signal_stop(other);
    rn_signal_stop(other); /* is not there any more: fine */
    rn_signal_stop(NULL);
}

ITEM(181, "ignore, ignored and reset take signals from every channel")
{
    chan_auto(int) c = chan_make(int, 8);
    CHECK_EQ(rn_signal_notify(c, SIGUSR1, SIGUSR2), 0);
    CHECK(!rn_signal_ignored(SIGUSR1));
    CHECK_EQ(rn_signal_ignore(SIGUSR1), 0);
    CHECK(rn_signal_ignored(SIGUSR1));
    raise_here(SIGUSR1); /* nothing */
    raise_here(SIGUSR2);
    expect(c, SIGUSR2);
    CHECK_EQ(chan_len(c), 0);
    CHECK_EQ(rn_signal_notify(c, SIGUSR1), 0); /* asked for again */
    CHECK(!rn_signal_ignored(SIGUSR1));
    raise_here(SIGUSR1);
    expect(c, SIGUSR1);
    CHECK_EQ(rn_signal_reset(), 0);
    struct sigaction sa;
    CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGUSR2, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
    CHECK(!rn_signal_ignored(0) && !rn_signal_ignored(1000));
}

CHILD(dies_of_usr1)
{
    chan(int) c = chan_make(int, 1);
    (void)rn_signal_notify(c, SIGUSR1);
    rn_signal_stop(c);
    raise(SIGUSR1);
    rn_sleep(RN_MIN);
}

CHILD(dies_of_usr1_after_reset)
{
    chan(int) c = chan_make(int, 1);
    (void)rn_signal_notify(c, SIGUSR1);
    (void)rn_signal_reset(SIGUSR1);
    raise(SIGUSR1);
    rn_sleep(RN_MIN);
}

ITEM(181, "after stop, and after reset, the signal does what it does by default")
{
    CHECK_EQ(test_run_child("dies_of_usr1", NULL)->status, 128 + SIGUSR1);
    CHECK_EQ(test_run_child("dies_of_usr1_after_reset", NULL)->status, 128 + SIGUSR1);
}

static void notify_nil(void *arg)
{
    (void)arg;
    chan(int) nil = NULL;
    (void)rn_signal_notify(nil, SIGINT);
}

ITEM(182, "a context that a signal cancels: cause, parent, stop")
{
    rn_signal_ctx s;
    CHECK_EQ(rn_signal_context_start(&s, rn_ctx_background(), SIGUSR1, SIGUSR2), 0);
    CHECK_EQ(rn_ctx_err(s.ctx), 0);
    raise_here(SIGUSR1);
    CHECK_EQ(chan_select(on_ctx(s.ctx)), 0);
    CHECK_EQ(rn_ctx_err(s.ctx), -ECANCELED);
    CHECK(strcmp(rn_ctx_cause(s.ctx), "user defined signal 1 signal received") == 0);
    /* until stop they do nothing else; that it has come is seen elsewhere, since one that is still on its
     * way would meet what is there after the stop */
    chan_auto(int) seen = chan_make(int, 1);
    CHECK_EQ(rn_signal_notify(seen, SIGUSR2), 0);
    raise_here(SIGUSR2);
    expect(seen, SIGUSR2);
    rn_signal_stop(seen);
    rn_signal_context_stop(&s);
    rn_signal_context_stop(&s);
    struct sigaction now;
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGUSR2, NULL, &now) == 0 && now.sa_handler == SIG_DFL);

    /* the parent ends it, too; stop without any signal */
    rn_ctx *parent = rn_ctx_with_cancel(rn_ctx_background());
    CHECK_EQ(rn_signal_context_start(&s, parent, SIGUSR1), 0);
    rn_ctx_cancel(parent, "parent");
    CHECK_EQ(chan_select(on_ctx(s.ctx)), 0);
    CHECK(strcmp(rn_ctx_cause(s.ctx), "parent") == 0);
    rn_signal_context_stop(&s);
    rn_ctx_unref(parent);
    CHECK_EQ(rn_signal_context_start(&s, rn_ctx_background(), SIGUSR1), 0);
    rn_signal_context_stop(&s);
    /* what cannot be asked for: nothing is left behind */
    CHECK(rn_signal_context_start(&s, rn_ctx_background(), 4711) < 0);
    WAIT_GONE(1);
}

ITEM(183, "a nil channel panics")
{
    CHECK_PANIC(notify_nil, NULL, "os/signal: Notify using nil channel");
}

/* ---- what a registration means for the deadlock report */

CHILD(waits_for_a_signal)
{
    chan(int) c = chan_make(int, 1);
    (void)rn_signal_notify(c, SIGUSR1);
    fprintf(stderr, "waiting\n");
    int64_t until = rn_now() + 50 * RN_MS;
    CHECK_EQ(chan_take(c, until, NULL), -ETIMEDOUT);
    kill(getpid(), SIGUSR1);
    CHECK(chan_recv(c, NULL));
    /* registered for something that does not come; another process would have to send it */
    if (fork() == 0) {
        usleep(300000);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CHECK(chan_recv(c, NULL)); /* nobody else runs: a deadlock, but for the registration */
    fprintf(stderr, "came\n");
    rn_signal_stop(c);
    (void)chan_recv(c, NULL);
}

ITEM(181, "who waits for a signal is not deadlocked; after stop he is")
{
    test_child *r = test_run_child("waits_for_a_signal", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "waiting\ncame\nfatal error: all goroutines are asleep - deadlock!");
}

CHILD(closed_too_early)
{
    chan(int) c = chan_make(int, 1);
    (void)rn_signal_notify(c, SIGUSR1);
    chan_close(c);
    raise(SIGUSR1);
    rn_sleep(RN_MIN);
}

ITEM(179, "a signal for a channel that is closed ends the program")
{
    test_child *r = test_run_child("closed_too_early", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "send on closed channel");
    CHECK_HAS(r->err, "user defined signal 1");
}

/* ---- 184: the actions of a program that asks for nothing, or for SIGQUIT */

CHILD(interrupted)
{
    (void)rn_goid();
    raise(SIGINT);
    rn_sleep(RN_MIN);
}

CHILD(quit)
{
    (void)rn_goid();
    raise(SIGQUIT);
    rn_sleep(RN_MIN);
}

CHILD(quit_is_caught)
{
    chan(int) c = chan_make(int, 1);
    (void)rn_signal_notify(c, SIGQUIT);
    raise(SIGQUIT);
    expect(c, SIGQUIT);
    rn_signal_stop(c);
    fprintf(stderr, "and now\n");
    raise(SIGQUIT); /* the dump again */
    rn_sleep(RN_MIN);
}

ITEM(184, "SIGINT kills, SIGQUIT dumps and exits with 2, unless it is asked for")
{
    CHECK_EQ(test_run_child("interrupted", NULL)->status, 128 + SIGINT);
    test_child *r = test_run_child("quit", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "SIGQUIT: quit");
    r = test_run_child("quit_is_caught", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "and now\nSIGQUIT: quit");
}

TEST_MAIN
