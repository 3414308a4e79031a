/*
 * register.c - who wants which signals: notify, stop, reset, ignore.
 *
 * Invariants
 *  - A channel stands in the list at most once, with all the signals it wants.
 *  - A signal has our handler exactly while somebody in the list wants it, or it is being ignored.
 *  - The program is a source of events for the verdict while the list is not empty. Go's is from its first
 *    Notify on, for ever, since a thread of its runtime waits for signals; here the report comes back
 *    when the last channel is stopped.
 *  - A stop first takes the handlers away, then lets what has arrived be delivered, and only then takes
 *    the channel out: a signal is either delivered or does what it does without us, never neither.
 */
#include "signal.h"
#include "../chan/attempt.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

typedef struct listener {
    struct listener *next;
    rn_hchan *c;     /* one reference */
    rn__sigset want; /* what is sent to it */
    rn__sigset hold; /* what it keeps the handler for; less than `want` while it is being stopped */
} listener;

static listener *listeners; /* lock */

/* What anybody in the list keeps the handler for. */
static rn__sigset held(void)
{
    rn__sigset set = 0;
    for (listener *l = listeners; l != NULL; l = l->next)
        set |= l->hold;
    return set;
}

/* Sends one signal to one channel, if there is room or somebody waits. */
static void send_one(rn_hchan *c, int sig, rn__sig_woken *woken)
{
    int value[4] = {sig, 0, 0, 0}; /* the copying code has a case for 16 bytes */
    uint64_t s = rn__chan_lock_as(c, NULL, false);
    rn__partner partner = {NULL, false};
    enum rn__try r = rn__try_send_locked(c, s, value, &partner);
    rn__chan_publish(c, s);
    if (RN_UNLIKELY(r == RN__TRY_CLOSED))
        rn__fatal("send on closed channel\n\tsignal \"%s\" for a channel that was closed; call "
                  "rn_signal_stop before chan_close",
                  rn_signal_text(sig));
    if (partner.g == NULL)
        return;
    if (woken->n == (int)(sizeof woken->who / sizeof *woken->who)) {
        rn__partner_ready(partner); /* many channels, all of them waited for: then under the lock */
        return;
    }
    woken->who[woken->n++] = partner;
}

void rn__signal_deliver(rn__sigset set, rn__sig_woken *woken)
{
    for (int sig = 1; sig <= 64; sig++) {
        if (!(set & rn__sig_bit(sig)))
            continue;
        for (listener *l = listeners; l != NULL; l = l->next) {
            if (l->want & rn__sig_bit(sig))
                send_one(l->c, sig, woken);
        }
    }
}

/* The set of a table; 0: it has something that nobody can ask for. */
static rn__sigset set_of(const int *sigs, size_t n)
{
    rn__sigset all = rn__signal_possible(), set = 0;
    if (n == 0)
        return all;
    for (size_t i = 0; i < n; i++) {
        if (sigs[i] < 1 || sigs[i] > 64 || !(all & rn__sig_bit(sigs[i])))
            return 0;
        set |= rn__sig_bit(sigs[i]);
    }
    return set;
}

/* -------------------------------------------------------------------------------------- notify */

static int notify(rn_hchan *c, const int *sigs, size_t n, const char *site)
{
    rn__current(); /* the handler of SIGQUIT is there before we look at what is there */
    if (RN_UNLIKELY(c == NULL))
        rn__panic_runtime(site, NULL, "os/signal: Notify using nil channel");
    rn__sigset set = set_of(sigs, n);
    if (set == 0)
        return -EINVAL;
    int err = rn__signal_start();
    if (err != 0)
        return err;
    listener *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        return -ENOMEM;
    *fresh = (listener){.c = c};
    bool first = false;
    rn__lock_take(&rn__signal_lock);
    listener *l = listeners;
    while (l != NULL && l->c != c)
        l = l->next;
    if (l == NULL) {
        first = listeners == NULL;
        if (first)
            rn__source_add(1);
        rn_hchan_ref(c);
        fresh->next = listeners;
        listeners = l = fresh;
        fresh = NULL;
    }
    l->want |= set;
    l->hold |= set;
    rn__signal_catch(set);
    rn__lock_drop(&rn__signal_lock);
    free(fresh);
    return 0;
}

int rn_signal_notify_n(rn_send_chan(int) c, const int *sigs, size_t n, const char *site)
{
    return notify((rn_hchan *)(uintptr_t)c, sigs, n, site);
}

int rn_signal_notify_v(const char *site, rn_send_chan(int) c, ...)
{
    int sigs[128];
    size_t n = 0;
    va_list ap;
    va_start(ap, c);
    while (n < sizeof sigs / sizeof *sigs && (sigs[n] = va_arg(ap, int)) != 0)
        n++;
    va_end(ap);
    return notify((rn_hchan *)(uintptr_t)c, sigs, n, site);
}

/* ----------------------------------------------------------------------------- ending it again */

/* Takes those out that want nothing any more; what they held is dropped by the caller, without the lock.
 * Called with it held. */
static listener *take_done(void)
{
    listener *done = NULL;
    for (listener **p = &listeners; *p != NULL;) {
        listener *l = *p;
        if (l->want != 0) {
            p = &l->next;
            continue;
        }
        *p = l->next;
        l->next = done;
        done = l;
    }
    return done;
}

static void drop(listener *done, bool last)
{
    while (done != NULL) {
        listener *next = done->next;
        rn_hchan_unref(done->c, NULL);
        free(done);
        done = next;
    }
    if (last)
        rn__source_add(-1); /* may be the deadlock's verdict */
}

void rn_signal_stop(rn_send_chan(int) chan)
{
    const rn_hchan *c = (const rn_hchan *)(uintptr_t)chan;
    rn__current();
    rn__lock_take(&rn__signal_lock);
    listener *l = listeners;
    while (l != NULL && l->c != c)
        l = l->next;
    bool found = l != NULL;
    if (found) {
        rn__sigset gone = l->hold;
        l->hold = 0;
        rn__signal_restore(gone & ~held());
    }
    rn__lock_drop(&rn__signal_lock);
    if (!found)
        return;
    rn__signal_wait();
    rn__lock_take(&rn__signal_lock);
    for (l = listeners; l != NULL; l = l->next) {
        if (l->c == c)
            l->want = l->hold; /* nothing, unless somebody has asked for more meanwhile */
    }
    bool some = listeners != NULL;
    listener *done = take_done();
    bool last = some && listeners == NULL;
    rn__lock_drop(&rn__signal_lock);
    drop(done, last);
}

/* No channel wants these any more; then they are put back, or ignored. */
static int cancel(const int *sigs, size_t n, void (*act)(rn__sigset))
{
    rn__current();
    rn__sigset set = set_of(sigs, n);
    if (set == 0)
        return -EINVAL;
    rn__lock_take(&rn__signal_lock);
    for (listener *l = listeners; l != NULL; l = l->next) {
        l->want &= ~set;
        l->hold &= ~set;
    }
    act(set);
    bool some = listeners != NULL;
    listener *done = take_done();
    bool last = some && listeners == NULL;
    rn__lock_drop(&rn__signal_lock);
    drop(done, last);
    return 0;
}

int rn_signal_reset_n(const int *sigs, size_t n)
{
    return cancel(sigs, n, rn__signal_restore);
}

int rn_signal_ignore_n(const int *sigs, size_t n)
{
    return cancel(sigs, n, rn__signal_discard);
}

bool rn_signal_ignored(int sig)
{
    struct sigaction sa;
    return sig >= 1 && sig <= 64 && sigaction(sig, NULL, &sa) == 0 &&
           (sa.sa_flags & SA_SIGINFO) == 0 && sa.sa_handler == SIG_IGN;
}
