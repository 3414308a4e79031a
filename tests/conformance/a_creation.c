/*
 * a_creation.c - items 1 to 13: making channels, element sizes, capacity, len and cap, identity.
 *
 * Invariants
 *  - Nothing here depends on which goroutine runs when.
 */
#include "../test.h"
#include <malloc.h>
#include <sys/resource.h>

struct make_args {
    size_t size;
    int64_t cap;
};

static void make_raw(void *p)
{
    const struct make_args *a = p;
    rn_hchan_unref(rn_hchan_make(a->size, a->cap, "T", RN_HERE), RN_HERE);
}

static void make_negative(void *p)
{
    (void)p;
    int cap = -1;
    chan(int) c = chan_make(int, cap);
    chan_unref(c);
}

ITEM(1, "capacity 0 is a rendezvous, n > 0 buffers n elements")
{
    static const size_t caps[] = {0, 1, 2, 3, 7, 64, 1000};
    for (size_t k = 0; k < sizeof caps / sizeof caps[0]; k++) {
        chan(int) c = chan_make(int, (int64_t)caps[k]);
        CHECK(c != NULL);
        CHECK_EQ(chan_cap(c), caps[k]);
        CHECK_EQ(chan_len(c), 0);
        for (size_t i = 0; i < caps[k]; i++)
            CHECK(chan_try_send(c, (int)i));
        CHECK(!chan_try_send(c, -1)); /* one more than the capacity never fits */
        CHECK_EQ(chan_len(c), caps[k]);
        chan_unref(c);
    }
}

ITEM(2, "a negative capacity panics, recoverably, as a runtime error")
{
    CHECK_PANIC(make_negative, NULL, "makechan: size out of range");
    CHECK_PANIC(make_raw, &((struct make_args){8, INT64_MIN}), "makechan: size out of range");
    CHECK_PANIC(make_raw, &((struct make_args){0, -1}), "makechan: size out of range");
    rn_panic_info info;
    CHECK(!rn_try(make_negative, NULL, &info));
    CHECK(info.is_runtime_error);
    chan(int) c = chan_make(int, 1); /* and life goes on */
    chan_send(c, 5);
    chan_unref(c);
}

ITEM(3, "capacity times size that overflows panics with the same text")
{
    static const struct make_args bad[] = {
        {8, INT64_MAX},
        {8, INT64_MAX / 8 + 1},
        {65535, INT64_MAX / 65535 + 1},
        {16, INT64_C(1) << 60},
        {3, INT64_MAX / 2},
        {4096, INT64_C(1) << 52},
        {65535, INT64_C(1) << 47},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct make_args a = bad[i];
        CHECK_PANIC(make_raw, &a, "makechan: size out of range");
    }
}

/* More than the machine gives, but a legal size: the address space is limited so that the outcome does
 * not depend on how much memory there is. */
CHILD(too_large)
{
    rn_yield(); /* the runtime has its own memory by now */
    struct rlimit lim = {(rlim_t)8 << 30, (rlim_t)8 << 30};
    CHECK(setrlimit(RLIMIT_AS, &lim) == 0);
    struct make_args a = {1024, INT64_C(1) << 24};
    rn_panic_info info;
    rn_try(make_raw, &a, &info);
    puts("came back");
}

ITEM(3, "an allocation that is merely too large is fatal, not a panic")
{
    if (TEST_SANITIZED || getenv("RUNNEL_TEST_EMULATOR") != NULL)
        return; /* a sanitizer's allocator, or an emulator, does not survive the limit */
    test_child *r = test_run_child("too_large", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "out of memory");
    CHECK_HAS_NOT(r->err, "panic:");
    CHECK_HAS_NOT(r->out, "came back");
}

ITEM(4, "elements of 65536 bytes are rejected at make, 65535 work")
{
    CHECK_PANIC(make_raw, &((struct make_args){65536, 1}),
                "makechan: invalid channel element type");
    CHECK_PANIC(make_raw, &((struct make_args){SIZE_MAX, 0}),
                "makechan: invalid channel element type");
    rn_hchan *c = rn_hchan_make(65535, 2, "big", RN_HERE);
    unsigned char *a = malloc(65535), *b = malloc(65535);
    CHECK(a != NULL && b != NULL);
    for (int k = 1; k <= 2; k++) {
        memset(a, k, 65535);
        CHECK(rn_hchan_send(c, a, RN_HERE));
    }
    for (int k = 1; k <= 2; k++) {
        memset(b, 0, 65535);
        CHECK(rn_hchan_recv(c, b, RN_HERE));
        for (int i = 0; i < 65535; i++)
            CHECK_EQ(b[i], k);
    }
    free(a);
    free(b);
    rn_hchan_unref(c, RN_HERE);
}

ITEM(5, "elements of size zero need no buffer and still count")
{
    const int64_t huge = INT64_C(1) << 60; /* with one byte each this could never be had */
    chan(rn_unit) c = chan_make(rn_unit, huge);
    CHECK_EQ(chan_cap(c), huge);
    for (int i = 0; i < 5; i++)
        chan_send(c, (rn_unit){0});
    CHECK_EQ(chan_len(c), 5);
    rn_unit u;
    CHECK(chan_recv(c, &u));
    CHECK_EQ(chan_len(c), 4);
    chan_close(c);
    for (int i = 0; i < 4; i++)
        CHECK(chan_recv(c, NULL));
    CHECK(!chan_recv(c, &u));
    chan_unref(c);
}

ITEM(5, "a receive of size zero writes nothing")
{
    rn_hchan *c = rn_hchan_make(0, 1, "unit", RN_HERE);
    unsigned char around[3] = {0xA5, 0xA5, 0xA5};
    CHECK(rn_hchan_send(c, around + 1, RN_HERE));
    CHECK(rn_hchan_recv(c, around + 1, RN_HERE));
    rn_hchan_close(c, RN_HERE);
    CHECK(!rn_hchan_recv(c, around + 1, RN_HERE));
    CHECK(around[0] == 0xA5 && around[1] == 0xA5 && around[2] == 0xA5);
    rn_hchan_unref(c, RN_HERE);
}

/* Sends a pattern of every size through a buffer, with guard bytes around source and destination. */
static void copy_exactly(size_t size, int64_t cap)
{
    enum { PAD = 32 };
    unsigned char *src = malloc(size + 2 * PAD), *dst = malloc(size + 2 * PAD);
    CHECK(src != NULL && dst != NULL);
    rn_hchan *c = rn_hchan_make(size, cap, "bytes", RN_HERE);
    for (int round = 0; round < 3 * cap; round++) {
        for (size_t i = 0; i < size + 2 * PAD; i++)
            src[i] = (unsigned char)(i * 7 + (size_t)round);
        memset(dst, 0xEE, size + 2 * PAD);
        CHECK(rn_hchan_send(c, src + PAD, RN_HERE));
        memset(src, 0x11, size + 2 * PAD); /* later writes to the source must not arrive */
        CHECK(rn_hchan_recv(c, dst + PAD, RN_HERE));
        for (size_t i = 0; i < size + 2 * PAD; i++) {
            bool inside = i >= PAD && i < size + PAD;
            CHECK_EQ(dst[i], inside ? (unsigned char)(i * 7 + (size_t)round) : 0xEE);
        }
    }
    rn_hchan_unref(c, RN_HERE);
    free(src);
    free(dst);
}

ITEM(6, "elements of every size are copied by value, and nothing beside them")
{
    for (size_t size = 1; size <= 130; size++)
        copy_exactly(size, 1 + (int64_t)(size % 3));
    copy_exactly(4096, 2);
    copy_exactly(4097, 2);
    copy_exactly(65535, 1);
}

static void send_then_change(void *p)
{
    chan(int) c = p;
    int v = 1;
    chan_send_from(c, &v);
    v = 2;
}

ITEM(6, "a value handed to a waiting receiver is a copy as well")
{
    chan(int) c = chan_make(int, 0);
    test_go(send_then_change, (void *)c);
    WAIT_PARKED(1, CHAN_SEND, c);
    int got = 0;
    CHECK(chan_recv(c, &got));
    WAIT_GONE(1);
    CHECK_EQ(got, 1);
    chan_unref(c);
}

ITEM(7, "len and cap of nil are 0")
{
    chan(int) c = NULL;
    CHECK_EQ(chan_len(c), 0);
    CHECK_EQ(chan_cap(c), 0);
}

static void send_one(void *p)
{
    chan(int) c = p;
    chan_send(c, 7);
}

ITEM(8, "len counts buffered elements only, never blocked senders")
{
    chan(int) u = chan_make(int, 0);
    chan(int) b = chan_make(int, 2);
    chan_send(b, 1);
    chan_send(b, 2);
    for (int i = 0; i < 3; i++) {
        test_go(send_one, (void *)u);
        test_go(send_one, (void *)b);
    }
    WAIT_PARKED(3, CHAN_SEND, u);
    WAIT_PARKED(3, CHAN_SEND, b);
    CHECK_EQ(chan_len(u), 0);
    CHECK_EQ(chan_len(b), 2);
    for (int i = 0; i < 3; i++)
        CHECK(chan_recv(u, NULL));
    for (int i = 0; i < 5; i++)
        CHECK(chan_recv(b, NULL));
    CHECK_EQ(chan_len(b), 0);
    WAIT_GONE(1);
    chan_unref(u);
    chan_unref(b);
}

ITEM(9, "after close len falls as the buffer drains, and cap stays")
{
    chan(int) c = chan_make(int, 3);
    for (int i = 0; i < 3; i++)
        chan_send(c, i);
    chan_close(c);
    for (int left = 3; left > 0; left--) {
        CHECK_EQ(chan_len(c), left);
        CHECK_EQ(chan_cap(c), 3);
        CHECK(chan_recv(c, NULL));
    }
    CHECK_EQ(chan_len(c), 0);
    CHECK(!chan_recv(c, NULL));
    CHECK_EQ(chan_len(c), 0);
    CHECK_EQ(chan_cap(c), 3);
    chan_unref(c);
}

ITEM(11, "a channel and its directional views are one and the same")
{
    chan(int) c = chan_make(int, 1);
    chan(int) d = chan_make(int, 1);
    recv_chan(int) r = c;
    send_chan(int) s = c;
    CHECK(c != d);
    CHECK((void *)(uintptr_t)r == (void *)(uintptr_t)c);
    CHECK((void *)(uintptr_t)s == (void *)(uintptr_t)c);
    recv_chan(int) r2 = c;
    CHECK(r == r2);
    chan_send(s, 42);
    int v = 0;
    CHECK(chan_recv(r, &v));
    CHECK_EQ(v, 42);
    CHECK(chan_ref(c) == c);
    chan_unref(c);
    chan_unref(c);
    chan_unref(d);
}

struct message {
    int id;
    double weight;
    char text[24];
};

static int twice(int x)
{
    return 2 * x;
}

typedef int (*int_fn)(int);

ITEM(12, "channels carry channels, functions, pointers and structs")
{
    chan(chan(int)) cc = chan_make(chan(int), 1);
    chan(int) inner = chan_make(int, 1), back = NULL;
    chan_send(cc, inner);
    CHECK(chan_recv(cc, &back));
    CHECK(back == inner);

    chan(int_fn) fc = chan_make(int_fn, 1);
    int_fn f = NULL;
    chan_send(fc, twice);
    CHECK(chan_recv(fc, &f));
    CHECK_EQ(f(21), 42);

    int x = 5, *p = NULL;
    chan(int *) pc = chan_make(int *, 1);
    chan_send(pc, &x);
    CHECK(chan_recv(pc, &p));
    CHECK(p == &x);

    chan(struct message) mc = chan_make(struct message, 1);
    struct message m;
    chan_send(mc, (struct message){3, 0.5, "three"});
    CHECK(chan_recv(mc, &m));
    CHECK(m.id == 3 && m.weight == 0.5 && strcmp(m.text, "three") == 0);

    chan_unref(cc);
    chan_unref(inner);
    chan_unref(fc);
    chan_unref(pc);
    chan_unref(mc);
}

static int dropped[8];

static void count_drop(void *e)
{
    dropped[*(int *)e]++;
}

ITEM(13, "what was received is not dropped again when the channel is freed")
{
    chan(int) c = chan_make_with(int, 4, .drop = count_drop, .name = "jobs");
    for (int i = 0; i < 4; i++)
        chan_send(c, i);
    for (int i = 0; i < 3; i++)
        CHECK(chan_recv(c, NULL));
    chan_send(c, 4); /* goes to a slot that was used before: the ring has turned */
    chan_send(c, 5);
    CHECK(chan_recv(c, NULL)); /* 3 */
    chan_unref(c);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(dropped[i], i == 4 || i == 5);
}

TEST_MAIN
