/*
 * world.h - the scheduler as the interleaving test sees it: goroutine t is thread t of the explorer.
 *
 * Invariants
 *  - Park and ready are steps of their own; they check what the real ones rely on: a plain ready finds
 *    its goroutine parked, a permit is given once per wait.
 *  - w_timer_thread, run by one thread of a case, fires any armed timer at any time.
 *  - Time stands still unless a test lets it jump (w_time_may_jump); then a look at the clock is a
 *    choice.
 */
#ifndef IL_WORLD_H
#define IL_WORLD_H

#include "engine.h"
#include "../../src/platform/lock.h"
#include "../../src/sched/sched.h"

extern rn__g w_g[IL_THREADS + 1]; /* the last one stands for setup and final */
extern int w_time_may_jump;
/* So often a deadline may have passed when its wait begins. */
extern int w_late_arms; /* how many deadlines may have passed when their wait begins */
extern const char *w_panic[IL_THREADS]; /* text of the runtime panic that ended thread t, or NULL */
extern const char *w_fatal_expected;    /* a fatal error of this text ends the thread quietly */

/* The body of the thread that fires timers: the case's last one. It ends with the others. */
void w_timer_thread(void);

/* In setup: thread 0 is a worker in solo mode, the others foreign threads that it does not know of. */
void w_solo(void);

#endif
