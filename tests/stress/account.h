/*
 * account.h - exact accounting of elements: what every stress program counts and checks.
 *
 * An element says who sent it and as which one; `check` depends on both, so a torn element shows.
 * Senders and receivers each keep a ledger: number and a sum of hashes. Equal ledgers mean that the
 * same multiset of elements went in and came out: nothing lost, nothing doubled (but for a chance of
 * 2^-64).
 *
 * Invariants
 *  - Ledgers are local to a goroutine or thread and are merged once, at its end.
 *  - A receiver checks that on one channel the numbers of one sender only rise.
 */
#ifndef RN_TEST_ACCOUNT_H
#define RN_TEST_ACCOUNT_H

#include "../test.h"

typedef struct elem {
    uint32_t sender; /* 0, 1, ... */
    uint32_t seq;    /* 1, 2, ... per sender */
    uint64_t check;  /* hash of both */
} elem;

TEST_FN uint64_t hash_of(uint32_t sender, uint32_t seq)
{
    uint64_t x = (uint64_t)sender << 32 | seq;
    return test_random(&x);
}

TEST_FN elem make_elem(uint32_t sender, uint32_t seq)
{
    return (elem){sender, seq, hash_of(sender, seq)};
}

typedef struct ledger {
    int64_t n;    /* elements */
    uint64_t sum; /* of their hashes */
} ledger;

TEST_FN void enter(ledger *l, elem e)
{
    l->n++;
    l->sum += e.check;
}

/* Where ledgers are merged. */
typedef struct book {
    _Atomic(int64_t) n;
    _Atomic(uint64_t) sum;
} book;

TEST_FN void merge(book *b, const ledger *l)
{
    atomic_fetch_add(&b->n, l->n);
    atomic_fetch_add(&b->sum, l->sum);
}

#define CHECK_BALANCE(sent, got)                                      \
    do {                                                              \
        CHECK_EQ(atomic_load(&(got)->n), atomic_load(&(sent)->n));    \
        CHECK(atomic_load(&(got)->sum) == atomic_load(&(sent)->sum)); \
    } while (0)

/* Checks one received element against the newest of its sender on this channel. */
#define CHECK_ELEM(e, newest)                             \
    do {                                                  \
        CHECK((e).check == hash_of((e).sender, (e).seq)); \
        CHECK((e).seq > *(newest));                       \
        *(newest) = (e).seq;                              \
    } while (0)

/* Read by full.sh. */
TEST_FN void report_elements(int64_t n)
{
    printf("elements %lld\n", (long long)n);
}

static const int worker_counts[] = {1, 2, 4, 8};
enum { WORKER_COUNTS = 4 };

#endif
