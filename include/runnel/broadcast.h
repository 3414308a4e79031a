/*
 * broadcast.h - one value to many: every subscriber gets every value that is sent after it has joined.
 *
 *     static rn_broadcast(struct tick) ticks;            zero value ready, file scope or in a struct
 *     recv_chan(struct tick) mine = rn_broadcast_join(&ticks, 16, RN_BROADCAST_BLOCK);
 *     chan_range (t, mine) ...                           or any select
 *     rn_broadcast_leave(&ticks, mine);
 *
 *     rn_broadcast_send(&ticks, (struct tick){...});     elsewhere
 *
 * A subscription is an ordinary channel of its own, so it stands in selects, polls and batches like any
 * other. Values that were sent before a join are not seen; the join says where "after" begins.
 *
 * Invariants
 *  - All subscribers see all values in the same order: sends take turns.
 *  - A send has done its work for every subscriber when it returns: the value is in the subscriber's
 *    channel, or received, or, by the subscriber's own wish, has pushed out the oldest one there.
 *  - The struct must not be copied or moved after its first use. Each join needs one leave; after that
 *    there is nothing to destroy.
 */
#ifndef RUNNEL_BROADCAST_H
#define RUNNEL_BROADCAST_H

#include <runnel/chan.h>
#include <runnel/sync.h>

RN_EXTERN_C_BEGIN

struct rn__subscriber;

/* What a send does when a subscriber's channel is full. */
typedef enum rn_broadcast_policy {
    RN_BROADCAST_BLOCK = 0,       /* it waits: the slowest such subscriber sets the pace */
    RN_BROADCAST_DROP_OLDEST = 1, /* it drops the oldest value there, and counts it as missed. With
                                     capacity 0 the value itself is missed if nobody is receiving */
} rn_broadcast_policy;

/* The untyped part. All members are private. */
typedef struct rn_hbroadcast {
    rn_mutex rn_turn;               /* held by a send, a join, a leave */
    struct rn__subscriber *rn_subs; /* in the order in which they joined */
    uint32_t rn_closed;             /* no more values */
} rn_hbroadcast;

/* A broadcast of values of type T; the zero value is ready. Name the type with typedef to pass pointers
 * to one around. */
#define rn_broadcast(T)         \
    struct {                    \
        rn_hbroadcast rn_b;     \
        rn_recv_chan(T) rn_sub; \
    }

/*
 * Joins: returns a channel of capacity cap that gets every value sent from now on; closed from the start
 * if the broadcast is. Waits while a send is under way. Panics as chan_make does.
 */
#define rn_broadcast_join(b, cap, policy)                                                      \
    RN__SAME((b)->rn_sub, rn_hbroadcast_join(&(b)->rn_b, RN__ELEM_SIZE(RN__ELEM((b)->rn_sub)), \
                                             RN__CAP(cap), policy, RN_HERE))

/*
 * Leaves: the channel gets no more values, what is in it is dropped, and it must not be used any more. A
 * send that waits for this subscriber goes on. Waits for a send that is waiting for another one.
 */
#define rn_broadcast_leave(b, sub) rn_hbroadcast_leave(&(b)->rn_b, RN__ANY(sub), RN_HERE)

/* Sends v to all who have joined and not left; waits for those that ask for it. Returns how many got it:
 * 0 without subscribers, and once the broadcast is closed. */
#define rn_broadcast_send(b, ...)                                                  \
    __extension__({                                                                \
        RN__ELEM((b)->rn_sub) rn__value = __VA_ARGS__; /* one value of its type */ \
        rn_hbroadcast_send(&(b)->rn_b, &rn__value, RN_HERE);                       \
    })

/* Closes the channels of all subscribers, which still receive what is in them, and of all who join later.
 * Waits for a send that is under way. Calling it again does nothing. Leaving is still due. */
#define rn_broadcast_close(b)       rn_hbroadcast_close(&(b)->rn_b, RN_HERE)

/* How many values this subscriber has missed so far; 0 for one that blocks. */
#define rn_broadcast_missed(b, sub) rn_hbroadcast_missed(&(b)->rn_b, RN__ANY(sub), RN_HERE)

RN_API rn_hchan *rn_hbroadcast_join(rn_hbroadcast *b, size_t size, int64_t cap,
                                    rn_broadcast_policy policy, const char *site);
RN_API void rn_hbroadcast_leave(rn_hbroadcast *b, rn_hchan *sub, const char *site);
RN_API size_t rn_hbroadcast_send(rn_hbroadcast *b, const void *elem, const char *site);
RN_API void rn_hbroadcast_close(rn_hbroadcast *b, const char *site);
RN_API uint64_t rn_hbroadcast_missed(rn_hbroadcast *b, const rn_hchan *sub, const char *site);

RN_EXTERN_C_END

#endif
