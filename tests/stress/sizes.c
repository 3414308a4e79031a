/*
 * sizes.c - elements of every size class between goroutines, through slots and hand to hand; each
 * byte is checked.
 *
 * Invariants
 *  - Every byte of an element depends on its number, so a copy that is short, long or torn shows.
 *
 * runnel-test: timeout=300
 */
#include "account.h"

enum { BIGGEST = 1024 };

struct stream {
    rn_hchan *c;
    size_t size;
    uint32_t n; /* elements per sender */
    _Atomic(uint32_t) next_sender;
    _Atomic(uint64_t) sent, got; /* sums of first bytes */
    rn_waitgroup senders, receivers;
};

static void fill(unsigned char *b, size_t size, uint32_t key)
{
    for (size_t i = 0; i < size; i++)
        b[i] = (unsigned char)((key + i * (2 * (key >> 8) + 1)) & 0xFF);
}

static void send_stream(void *p)
{
    struct stream *s = p;
    unsigned char b[BIGGEST + 1];
    uint64_t sum = 0, seed = atomic_fetch_add(&s->next_sender, 1);
    for (uint32_t i = 0; i < s->n; i++) {
        fill(b, s->size, (uint32_t)test_random(&seed) & 0xFFFF);
        CHECK(rn_hchan_send(s->c, b, RN_HERE));
        sum += s->size != 0 ? b[0] : 1;
    }
    atomic_fetch_add(&s->sent, sum);
    rn_waitgroup_done(&s->senders);
}

static void recv_stream(void *p)
{
    struct stream *s = p;
    unsigned char b[BIGGEST + 1];
    uint64_t sum = 0;
    b[s->size] = 0xC3;
    while (rn_hchan_recv(s->c, b, RN_HERE)) {
        CHECK_EQ(b[s->size], 0xC3);
        sum += s->size != 0 ? b[0] : 1;
        if (s->size < 3)
            continue;
        unsigned step = (b[1] - b[0]) & 0xFFu; /* all bytes are one arithmetic progression */
        for (size_t i = 2; i < s->size; i++)
            CHECK_EQ(b[i], (b[0] + i * step) & 0xFF);
    }
    for (size_t i = 0; i < s->size; i++)
        CHECK_EQ(b[i], 0);
    atomic_fetch_add(&s->got, sum);
    rn_waitgroup_done(&s->receivers);
}

static int64_t stream(size_t size, int64_t cap, uint32_t n)
{
    static struct stream s;
    memset(&s, 0, sizeof s);
    s.c = rn_hchan_make(size, cap, "bytes", RN_HERE);
    s.size = size;
    s.n = n;
    rn_waitgroup_add(&s.senders, 3);
    rn_waitgroup_add(&s.receivers, 3);
    for (int i = 0; i < 3; i++) {
        test_go(send_stream, &s);
        test_go(recv_stream, &s);
    }
    rn_waitgroup_wait(&s.senders);
    rn_hchan_close(s.c, RN_HERE);
    rn_waitgroup_wait(&s.receivers);
    CHECK(s.sent == s.got);
    rn_hchan_unref(s.c, RN_HERE);
    return 3 * (int64_t)n;
}

ITEM(1, "sizes 0 to 64 and around powers of two, unbuffered and buffered")
{
    int64_t total = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        uint32_t n = (uint32_t)test_scale(2000, 20);
        for (size_t size = 0; size <= 64; size++)
            for (int64_t cap = 0; cap <= 3; cap += 3)
                total += stream(size, cap, n);
        static const size_t sizes[] = {127, 128, 129, 255, 256, 257, 511, 512, 1000, 1023, 1024};
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int64_t cap = 0; cap <= 3; cap += 3)
                total += stream(sizes[k], cap, n);
    }
    report_elements(total);
}

TEST_MAIN
