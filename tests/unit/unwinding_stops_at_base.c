/*
 * An unwinder that starts on a goroutine's stack sees its frames and then a clean end; and
 * rn__call_unwinding shows it the frames of a context that is parked.
 */
#include "unit.h"
#include <unwind.h>

/* Where the unwinder looks a function up; its own headers keep it to themselves. */
extern const void *_Unwind_Find_FDE(void *pc, void *bases);

enum { DEPTH = 10, STACK = 256 << 10, MOST = 64 };

static rn__ctx here, there;
static _Atomic(uint64_t) word;
int main(void);

typedef struct trace {
    void *fn[MOST]; /* start of each frame's function */
    int n;          /* frames seen */
} trace;
static trace seen;

static _Unwind_Reason_Code step(struct _Unwind_Context *c, void *arg)
{
    trace *t = arg;
    if (_Unwind_GetIP(c) == 0)
        return _URC_NO_REASON; /* libgcc shows the end as a frame without an address */
    if (t->n < MOST)
        t->fn[t->n] = (void *)_Unwind_GetRegionStart(c);
    t->n++;
    CHECK(t->n < MOST);
    return _URC_NO_REASON;
}

static void take_trace(void *arg)
{
    memset(arg, 0, sizeof(trace));
    int reason = (int)_Unwind_Backtrace(step, arg);
    CHECK_EQ(reason, _URC_END_OF_STACK);
}

static volatile int leaf_result;

/* The frames are counted, so each must stay a frame. */
#if defined(__clang__)
#define FRAME __attribute__((noinline, optnone))
#else
#define FRAME __attribute__((noinline, noipa))
#endif

FRAME static int descend(int depth, void (*leaf)(void))
{
    if (depth > 0)
        return descend(depth - 1, leaf) + leaf_result + 1; /* no tail call */
    leaf();
    return leaf_result;
}

static void trace_here(void)
{
    take_trace(&seen);
}
static void park_here(void)
{
    rn__switch(&there, &here, &word, 0);
    leaf_result = 1; /* not a tail call: the frame must be there to be seen */
}

FRAME static void entry_running(void)
{
    descend(DEPTH, trace_here);
    rn__ctx gone;
    rn__switch(&gone, &here, &word, 0);
}
FRAME static void entry_parked(void)
{
    descend(DEPTH, park_here);
    abort(); /* nobody resumes it */
}

static int count(const trace *t, void *fn)
{
    int n = 0;
    for (int i = 0; i < t->n; i++)
        n += t->fn[i] == fn;
    return n;
}

static int index_of(const trace *t, void *fn)
{
    for (int i = 0; i < t->n; i++) {
        if (t->fn[i] == fn)
            return i;
    }
    return -1;
}

static void check(const trace *t, void (*entry)(void))
{
    CHECK_EQ(count(t, (void *)(uintptr_t)descend), DEPTH + 1);
    int at = index_of(t, (void *)(uintptr_t)entry);
    CHECK(at > DEPTH);
    CHECK_EQ(t->n - 1 - at, 1); /* the base, and nothing after it */
    CHECK_EQ(index_of(t, (void *)(uintptr_t)main), -1);
}

int main(void)
{
    char *stack = rn__reserve(STACK, 1);
    CHECK(stack != NULL);
    /* What lies above the base must not be taken for frames: fill it with plausible ones. */
    void **top = (void **)(void *)(stack + STACK - 1024);
    for (int i = 0; i < 1024 / (int)sizeof *top; i++)
        top[i] = (void *)((uintptr_t)main + 4);

    void *bases[3];
    if (_Unwind_Find_FDE((char *)(uintptr_t)main + 1, bases) == NULL) {
        printf(
            "built without unwind tables (-fasynchronous-unwind-tables), or linked without their "
            "index (-Wl,--eh-frame-hdr)\n");
        return 77;
    }
    trace own;
    take_trace(&own);
    CHECK(index_of(&own, (void *)(uintptr_t)main) >= 0);

    rn__ctx_init(&there, top, entry_running);
    rn__switch(&here, &there, &word, 0);
    check(&seen, entry_running);

    rn__ctx_init(&there, top, entry_parked);
    rn__switch(&here, &there, &word, 0);
    trace parked;
    rn__call_unwinding(&there, take_trace, &parked);
    check(&parked, entry_parked);
    CHECK(index_of(&parked, (void *)(uintptr_t)take_trace) == 0);
    CHECK(index_of(&parked, (void *)(uintptr_t)park_here) > 0);

    /* And this thread's own frames are as they were. */
    trace again;
    take_trace(&again);
    CHECK_EQ(again.n, own.n);
    return 0;
}
