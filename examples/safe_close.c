/*
 * safe_close.c - eight goroutines want the same channel closed: four ways without a crash.
 *
 * Go idiom: SafeClose by recover; by asking the channel; by sync.Once; by having one owner.
 * Rule: closing twice panics "close of closed channel", and so does sending afterwards ("send on
 * closed channel"). Of N racing closes exactly one succeeds. The first three ways keep the closers
 * from crashing, but not the senders; only the fourth, where one goroutine closes after everybody
 * is done, is right for both.
 *
 * What is no way at all: to look first whether the channel is closed. The look costs a value if
 * there is one, and the answer is old when it arrives.
 */
#include <runnel.h>
#include <stdio.h>

struct victim {
    chan(int) c;
    rn_once once;       /* for the third way */
    uint64_t closed_by; /* goroutine id, written inside of once */
    rn_waitgroup users; /* for the fourth */
};

typedef bool way_to_close(struct victim *v); /* true: I have closed it */

/* 1. Close, and take back the panic. The function returns false if there was one. */
static void forget(void *unused)
{
    (void)unused;
    recover();
}

static bool by_recover(struct victim *v)
{
    rn_recoverable(false);
    defer(forget, NULL);
    chan_close(v->c);
    return true;
}

/* 2. The same without the drama. Go has no such call. */
static bool by_trying(struct victim *v)
{
    return chan_try_close(v->c);
}

/* 3. Whoever comes first closes; all others wait until that is done. */
static void close_it(void *victim)
{
    struct victim *v = victim;
    chan_close(v->c);
    v->closed_by = rn_goid();
}

static bool by_once(struct victim *v)
{
    rn_once_do1(&v->once, close_it, v);
    return v->closed_by == rn_goid();
}

/* 4. Say that you are done with the channel; closing is the owner's business. */
static bool by_owner(struct victim *v)
{
    rn_waitgroup_done(&v->users);
    return false;
}

static void closer(way_to_close *way, struct victim *v, send_chan(bool) report)
{
    chan_send(report, way(v));
}
GO_FUNC(closer, way_to_close *, struct victim *, send_chan(bool));

static void race(const char *name, way_to_close *way)
{
    enum { CLOSERS = 8 };
    struct victim v = {.c = chan_make(int, 0)};
    chan_auto(bool) report = chan_make(bool, CLOSERS);

    rn_waitgroup_add(&v.users, CLOSERS);
    for (int i = 0; i < CLOSERS; i++)
        go(closer, way, &v, report);
    if (way == by_owner) {
        rn_waitgroup_wait(&v.users);
        chan_close(v.c);
        printf("%-10s the owner closed it; ", name);
    } else {
        printf("%-10s ", name);
    }

    int times = 0;
    for (int i = 0; i < CLOSERS; i++) {
        bool mine = false;
        chan_recv(report, &mine);
        times += mine;
    }
    printf("%d of %d closed it, it is %s\n", times, CLOSERS,
           chan_recv(v.c, NULL) ? "open?" : "closed");
    chan_unref(v.c);
}

int main(void)
{
    race("by recover", by_recover);
    race("by trying", by_trying);
    race("by once", by_once);
    race("by owner", by_owner);
    return 0;
}
