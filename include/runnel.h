/*
 * runnel.h - the whole core of runnel in one include: goroutines, channels and select for C.
 *
 * Invariants
 *  - Includes every public header of the core library and nothing of the extra libraries.
 *  - Usable as the only include of a program, in C11 and later and in C++11 and later.
 *
 * Define before the include, if wanted:
 *   RN_NO_SHORT_NAMES   only names that start with rn_, RN_ (no chan, go, on_recv, ...)
 *   RN_KEEP_ERRNO       leave libc's errno alone (see errno.h)
 */
#ifndef RUNNEL_H
#define RUNNEL_H

#include <runnel/base.h>
#include <runnel/errno.h>
#include <runnel/hchan.h>
#include <runnel/sched.h>
#include <runnel/chan.h>
#include <runnel/select.h>
#include <runnel/go.h>
#include <runnel/panic.h>
#include <runnel/self.h>
#include <runnel/sync.h>
#include <runnel/test.h>
#include <runnel/io.h>
#include <runnel/net.h>
#include <runnel/stream.h>
#include <runnel/time.h>
#include <runnel/signal.h>
#include <runnel/rwmutex.h>
#include <runnel/cond.h>
#include <runnel/sem.h>
#include <runnel/oncefunc.h>
#include <runnel/context.h>
#include <runnel/context_sync.h>
#include <runnel/signal_context.h>
#include <runnel/group.h>
#include <runnel/pool.h>
#include <runnel/map.h>
#include <runnel/broadcast.h>

#endif
