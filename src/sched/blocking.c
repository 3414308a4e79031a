/*
 * blocking.c - sections that block in the kernel, and goroutines that hold their thread.
 *
 * Invariants
 *  - A worker inside rn_blocking stays active for the verdict: it will come back. Its queues may be
 *    stolen at once, and a spare worker takes its place if anything waits.
 *  - A goroutine that holds its thread is pinned to it; the thread's worker serves only its pinned
 *    queue, and one more normal worker exists meanwhile.
 */
#include "runq.h"

void rn_blocking_enter(void)
{
    rn__worker *w = rn__self();
    if (w == NULL || w->hot.cur == NULL || rn__det() || w->blocking_depth++ != 0)
        return;
    atomic_store(&w->blocked_at, rn__clock());
    /* release: thieves that see it may take everything */
    atomic_store_explicit(&w->blocking, true, memory_order_release);
    rn__watch_before(rn__timers_first());
    if (rn__work_waits() && atomic_load(&rn__sched.nspin) == 0 && !rn__wake_one())
        rn__wake_spare();
}

void rn_blocking_leave(void)
{
    rn__worker *w = rn__self();
    if (w == NULL || w->hot.cur == NULL || rn__det() || --w->blocking_depth != 0)
        return;
    atomic_store_explicit(&w->blocking, false, memory_order_release);
}

static void release_thread(rn__worker *w, rn__g *g)
{
    if (!(g->flags & RN__G_STAY))
        g->flags &= (uint8_t)~RN__G_PINNED;
    w->locked = NULL;
    w->exclusive = false;
    atomic_fetch_and(&w->urgent, ~(uint32_t)RN__URGENT_LOCKED);
    rn__lock_take(&rn__sched.idle_lock);
    rn__sched.nlocked--;
    rn__lock_drop(&rn__sched.idle_lock);
}

void rn_lock_os_thread(void)
{
    rn__g *g = rn__current();
    if (rn__is_foreign(g))
        return; /* a thread of its own already */
    rn__gext *x = rn__g_ext(g);
    if (x->locks++ != 0 || rn__det())
        return;
    rn__worker *w = rn__self();
    x->home = w;
    g->flags |= RN__G_PINNED;
    w->locked = g;
    w->exclusive = true;
    atomic_fetch_or(&w->urgent, RN__URGENT_LOCKED);
    rn__lock_take(&rn__sched.idle_lock);
    rn__sched.nlocked++;
    rn__lock_drop(&rn__sched.idle_lock);
    rn__adjust_workers();
    rn__dump_queues(w);
}

void rn_unlock_os_thread(void)
{
    rn__g *g = rn__current();
    if (rn__is_foreign(g) || g->ext == NULL || g->ext->locks == 0)
        return; /* as in Go, an unlock too many does nothing */
    if (--g->ext->locks != 0 || rn__det())
        return;
    release_thread(rn__self(), g);
}

/* A goroutine ends while it holds its thread: as in Go the thread ends with it, since it may have been
 * changed in ways that nobody else should meet (namespaces, credentials, signal masks). Not if somebody
 * else is bound to it: the program's main thread, rn_run's, or one with goroutines that stay. */
void rn__unlock_thread_at_exit(rn__worker *w, rn__g *g)
{
    release_thread(w, g);
    if (!w->ours || w->nstay > (uint32_t)((g->flags & RN__G_STAY) != 0))
        return;
    w->leaving = true;
    atomic_fetch_or(&w->urgent, RN__URGENT_RETIRE); /* nothing more is picked here */
}
