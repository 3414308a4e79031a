/*
 * bubble.h - what the files of a bubble share: its structure; private to sched/.
 *
 * bubble.c has the counter and the members, bubble_turn.c the one turn of a bubble with a seed,
 * bubble_time.c its timers, bubble_run.c the controller.
 *
 * Invariants: see bubble.c.
 */
#ifndef RN_BUBBLE_H
#define RN_BUBBLE_H

#include "worker.h"

typedef struct rn__bubble_timer {
    int64_t when; /* when the timer is due */
    uint32_t key; /* random: order among those of one instant (item 191) */
    rn__timer *t; /* its index says where this stands */
} rn__bubble_timer;

struct rn__bubble {
    _Atomic(uint32_t) active; /* see above; seq_cst: whoever takes it to zero has seen everything */
    _Atomic(uint32_t) epoch;  /* how often it was zero; relaxed: for a check of misuse */
    _Atomic(int64_t)
        now; /* the clock; stored by the controller, relaxed: what wakes a goroutine orders */
    uint32_t number;        /* 1, 2, ... */
    bool serial;            /* has a seed: one at a time */
    rn__g *controller;      /* who made it */
    uint64_t token;         /* of its wait; written before its unit of active is given up */
    rn__g *_Atomic waiter;  /* in rn_test_wait, or NULL */
    rn__lock lock;          /* guards the rest, but for what belongs to the one whose turn it is */
    rn__bubble_timer *heap; /* binary heap by when and key */
    uint32_t ntimers, captimers; /* of heap */
    rn__g *first, *last;         /* members, oldest first, linked by ext */
    rn__g *root;                 /* the first member */
    uint32_t members, caprun;    /* length of that list; room in run: never less */
    bool done;                   /* root has ended */
    bool turn;                   /* serial: somebody has the turn */
    rn__g **run;                 /* serial: ready, waiting for their turn */
    uint32_t nrun;               /* how many */
    uint64_t rng;                /* of the one whose turn it is; not serial: guarded by lock */
    void *kept; /* a report that somebody may still read, when the bubble is over and not empty */
    rn__bubble *next; /* in bubbles.live */
};

/* A number of the bubble's own. By whoever has the turn, or else holds the lock. */
static inline uint32_t rn__bubble_random(rn__bubble *b)
{
    uint64_t z = b->rng += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}

/* bubble.c */
void rn__bubble_lock_with_room(rn__bubble *b, void **array, uint32_t *cap, const uint32_t *n,
                               size_t each);

/* bubble_turn.c */
void rn__bubble_pass_turn(rn__bubble *b);

/* bubble_run.c */
bool rn__bubble_is_live(uint32_t number);

/* bubble_time.c */
void rn__bubble_advance(rn__bubble *b);
void rn__bubble_forget_timers(rn__bubble *b);

#endif
