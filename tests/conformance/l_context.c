/*
 * l_context.c - items 151 to 164: contexts.
 *
 * Invariants
 *  - What must be cancelled is seen to be so in every way that a program can ask: rn_ctx_err, the
 *    done channel, a wait; what must not is seen to be live after the cancel has returned.
 *  - Deadlines lie in the past, or so far ahead that they do not come, or are waited for.
 */
#include "../test.h"

/* Asks in all ways; they must agree. */
static bool is_over(rn_ctx *ctx)
{
    int err = rn_ctx_err(ctx);
    bool closed = chan_try_recv(rn_ctx_done(ctx), NULL, NULL);
    CHECK_EQ(closed, err != 0);
    CHECK((rn_ctx_err_text(ctx) != NULL) == closed);
    CHECK((rn_ctx_cause(ctx) != NULL) == closed);
    CHECK_EQ(chan_select(on_ctx(ctx), on_default()), closed ? 0 : 1);
    return closed;
}

#define CHECK_TEXT(got, want)             \
    do {                                  \
        const char *got_ = (got);         \
        CHECK(got_ != NULL);              \
        CHECK(strcmp(got_, (want)) == 0); \
    } while (0)

ITEM(151, "background and TODO: never done, no done channel, no deadline, no error")
{
    rn_ctx *roots[] = {rn_ctx_background(), rn_ctx_todo()};
    for (int i = 0; i < 2; i++) {
        CHECK(rn_ctx_done(roots[i]) == NULL);
        CHECK_EQ(rn_ctx_err(roots[i]), 0);
        CHECK(rn_ctx_err_text(roots[i]) == NULL && rn_ctx_cause(roots[i]) == NULL);
        CHECK(rn_ctx_deadline(roots[i]) == RN_NEVER);
        CHECK(rn_ctx_ref(roots[i]) == roots[i]);
        rn_ctx_unref(roots[i]);
        rn_ctx_unref(roots[i]); /* references to them are not counted */
        CHECK_EQ(rn_sleep_ctx(roots[i], 1), 0);
    }
    CHECK(roots[0] != roots[1]);
    rn_ctx_unref(NULL);
}

static void cancel_it(void *ctx)
{
    rn_ctx_cancel(ctx, NULL);
}

static void *cancel_in_thread(void *ctx)
{
    rn_ctx_cancel(ctx, NULL);
    return NULL;
}

ITEM(152, "cancel goes down, never up or sideways; again and from anywhere it does nothing more")
{
    rn_gomaxprocs(4);
    rn_ctx_auto root = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx_auto left = rn_ctx_with_cancel(root);
    rn_ctx_auto right = rn_ctx_with_cancel(root);
    rn_ctx_auto child = rn_ctx_with_timeout(left, RN_HOUR);
    rn_ctx_auto grandchild = rn_ctx_with_cancel(child);
    for (int i = 0; i < 10; i++)
        test_go(cancel_it, left);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, cancel_in_thread, left) == 0);
    rn_ctx_cancel(left, NULL);
    CHECK(is_over(left) && is_over(child) && is_over(grandchild)); /* whoever was first */
    WAIT_GONE(1);
    pthread_join(t, NULL);
    CHECK(!is_over(root) && !is_over(right));
    rn_ctx_cancel(root, NULL);
    CHECK(is_over(root) && is_over(right));
}

/* A tree of any shape does not depend on the stack of who cancels it. */
ITEM(152, "a chain and a fan of 100,000 are cancelled at once from a goroutine's stack")
{
    int n = (int)test_scale(100000, 2000);
    rn_ctx **all = calloc((size_t)n, sizeof *all);
    CHECK(all != NULL);
    for (int shape = 0; shape < 3; shape++) {
        rn_ctx *root = rn_ctx_with_cancel(rn_ctx_background());
        for (int i = 0; i < n; i++)
            all[i] = rn_ctx_with_cancel(shape == 0 || i == 0 ? root
                                        : shape == 1         ? all[i - 1]
                                                             : all[i / 10]);
        test_go(cancel_it, root);
        WAIT_GONE(1);
        for (int i = 0; i < n; i++)
            CHECK_EQ(rn_ctx_err(all[i]), -ECANCELED);
        rn_ctx_unref(root);
        for (int i = 0; i < n; i++)
            rn_ctx_unref(all[i]);
    }
    /* and a chain that is only given back, from its leaf */
    rn_ctx *leaf = rn_ctx_background();
    for (int i = 0; i < n; i++) {
        rn_ctx *next = i % 2 ? rn_ctx_with_cancel(leaf) : rn_ctx_without_cancel(leaf);
        rn_ctx_unref(leaf);
        leaf = next;
    }
    rn_ctx_unref(leaf);
    free(all);
}

struct observer {
    rn_ctx *ctx;
    _Atomic(int64_t) *looked;
};

/* Whoever sees one sign of the end sees the other, too. */
static void observe(void *p)
{
    struct observer *o = p;
    recv_chan(rn_unit) done = rn_ctx_done(o->ctx);
    for (;;) {
        bool closed = chan_try_recv(done, NULL, NULL);
        int err = rn_ctx_err(o->ctx);
        CHECK(!closed || err != 0);
        bool closed_after = chan_try_recv(done, NULL, NULL);
        CHECK(err == 0 || closed_after);
        atomic_fetch_add(o->looked, 1);
        if (err != 0) {
            CHECK(err == rn_ctx_err(o->ctx));
            return;
        }
        rn_yield();
    }
}

static void *observe_in_thread(void *p)
{
    observe(p);
    return NULL;
}

ITEM(153, "error and done channel turn at one instant, also for racing observers; the error stays")
{
    rn_gomaxprocs(4);
    _Atomic(int64_t) looked = 0;
    int rounds = (int)test_scale(300, 20);
    for (int i = 0; i < rounds; i++) {
        rn_ctx_auto ctx = rn_ctx_with_timeout(rn_ctx_background(), RN_HOUR);
        struct observer o = {ctx, &looked};
        pthread_t t;
        for (int k = 0; k < 3; k++)
            test_go(observe, &o);
        if (i % 8 == 0)
            CHECK(pthread_create(&t, NULL, observe_in_thread, &o) == 0);
        for (int k = 0; k < i % 5; k++)
            rn_yield();
        rn_ctx_cancel(ctx, NULL);
        CHECK(is_over(ctx));
        CHECK_TEXT(rn_ctx_err_text(ctx), "context canceled");
        WAIT_GONE(1);
        if (i % 8 == 0)
            pthread_join(t, NULL);
    }
    CHECK(looked >= 3 * rounds);
    rn_ctx_auto late = rn_ctx_with_deadline(rn_ctx_background(), rn_now() + RN_MS);
    chan_recv(rn_ctx_done(late), NULL);
    CHECK_EQ(rn_ctx_err(late), -ETIMEDOUT);
    CHECK_TEXT(rn_ctx_err_text(late), "context deadline exceeded");
    rn_ctx_cancel(late, "too late");
    CHECK_EQ(rn_ctx_err(late), -ETIMEDOUT);
}

ITEM(154, "a child of a cancelled parent is born cancelled, with its error and cause")
{
    rn_ctx_auto parent = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx_cancel(parent, "closing time");
    rn_ctx_auto a = rn_ctx_with_cancel(parent);
    rn_ctx_auto b = rn_ctx_with_timeout_cause(parent, RN_HOUR, "slow");
    CHECK(is_over(a) && is_over(b));
    CHECK_EQ(rn_ctx_err(b), -ECANCELED);
    CHECK_TEXT(rn_ctx_cause(a), "closing time");
    CHECK_TEXT(rn_ctx_cause(b), "closing time");
}

ITEM(155, "the first cause wins and is inherited; without one it is the error, which stays")
{
    rn_ctx_auto root = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx_auto early = rn_ctx_with_cancel(root);
    rn_ctx_auto child = rn_ctx_with_cancel(root);
    rn_ctx_auto grandchild = rn_ctx_with_cancel(child);
    rn_ctx_cancel(early, NULL);
    char text[] = "disk full";
    rn_ctx_cancel(root, text);
    memset(text, 'x', sizeof text - 1); /* it was copied */
    rn_ctx_cancel(root, "second");
    rn_ctx_cancel(grandchild, "third");
    CHECK_TEXT(rn_ctx_cause(root), "disk full");
    CHECK_TEXT(rn_ctx_cause(child), "disk full");
    CHECK_TEXT(rn_ctx_cause(grandchild), "disk full");
    CHECK_TEXT(rn_ctx_cause(early), "context canceled");
    CHECK_EQ(rn_ctx_err(grandchild), -ECANCELED);
    CHECK_TEXT(rn_ctx_err_text(grandchild), "context canceled");
}

ITEM(156, "the earlier of two deadlines counts; one in the past cancels at once; cancel after it "
          "is nothing")
{
    int64_t now = rn_now();
    rn_ctx_auto outer = rn_ctx_with_deadline(rn_ctx_background(), now + RN_HOUR);
    rn_ctx_auto later = rn_ctx_with_deadline(outer, now + 2 * RN_HOUR);
    rn_ctx_auto sooner = rn_ctx_with_deadline(outer, now + RN_MIN);
    rn_ctx_auto plain = rn_ctx_with_cancel(sooner);
    rn_ctx_auto never = rn_ctx_with_deadline(outer, RN_NEVER);
    CHECK(rn_ctx_deadline(later) == now + RN_HOUR && rn_ctx_deadline(never) == now + RN_HOUR);
    CHECK(rn_ctx_deadline(sooner) == now + RN_MIN && rn_ctx_deadline(plain) == now + RN_MIN);
    rn_ctx_auto past = rn_ctx_with_deadline(outer, now - 1);
    CHECK_EQ(rn_ctx_err(past), -ETIMEDOUT);
    rn_ctx_auto none = rn_ctx_with_timeout(outer, 0);
    rn_ctx_auto negative = rn_ctx_with_timeout(outer, INT64_MIN);
    rn_ctx_auto endless = rn_ctx_with_timeout(rn_ctx_background(), INT64_MAX);
    CHECK(is_over(none) && is_over(negative) && !is_over(endless) && !is_over(outer));
    CHECK(rn_ctx_deadline(endless) == RN_NEVER);
    rn_ctx_cancel(past, "mine");
    CHECK_EQ(rn_ctx_err(past), -ETIMEDOUT);
    CHECK_TEXT(rn_ctx_cause(past), "context deadline exceeded");
    /* one that is waited for takes its children with it, and its parent not */
    rn_ctx_auto soon = rn_ctx_with_timeout(outer, 2 * RN_MS);
    rn_ctx_auto below = rn_ctx_with_cancel(soon);
    CHECK_EQ(rn_sleep_ctx(below, RN_HOUR), -ETIMEDOUT);
    CHECK(rn_now() >= rn_ctx_deadline(soon));
    CHECK(is_over(below) && is_over(soon) && !is_over(outer));
}

ITEM(157, "a deadline's cause is used only when the deadline passed")
{
    rn_ctx_auto late = rn_ctx_with_timeout_cause(rn_ctx_background(), RN_MS, "server is slow");
    rn_ctx_auto below = rn_ctx_with_cancel(late);
    rn_ctx_auto by_hand = rn_ctx_with_timeout_cause(rn_ctx_background(), RN_HOUR, "server is slow");
    rn_ctx_auto born = rn_ctx_with_deadline_cause(rn_ctx_background(), rn_now() - 1, "yesterday");
    chan_recv(rn_ctx_done(below), NULL);
    rn_ctx_cancel(by_hand, NULL);
    CHECK_TEXT(rn_ctx_cause(late), "server is slow");
    CHECK_TEXT(rn_ctx_cause(below), "server is slow");
    CHECK_TEXT(rn_ctx_cause(by_hand), "context canceled");
    CHECK_TEXT(rn_ctx_cause(born), "yesterday");
    CHECK_TEXT(rn_ctx_err_text(late), "context deadline exceeded");
}

static _Atomic(int) ran;
static _Atomic(uint64_t) ran_in;

static void count_run(void *p)
{
    (void)p;
    atomic_store(&ran_in, rn_goid());
    atomic_fetch_add(&ran, 1);
}

ITEM(158, "after functions run once, in their own goroutine; stop says whether it prevented that")
{
    rn_ctx_auto ctx = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx_after *kept = rn_ctx_after_func(ctx, count_run, NULL);
    rn_ctx_after *stopped = rn_ctx_after_func(ctx, count_run, NULL);
    rn_ctx_after_unref(rn_ctx_after_func(ctx, count_run, NULL)); /* runs all the same */
    CHECK(rn_ctx_after_stop(stopped));
    CHECK(!rn_ctx_after_stop(stopped));
    for (int i = 0; i < 20; i++)
        rn_yield();
    CHECK_EQ(ran, 0);
    rn_ctx_cancel(ctx, NULL);
    rn_ctx_cancel(ctx, NULL);
    CHECK(!rn_ctx_after_stop(kept));
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_EQ(ran, 2);
    CHECK(ran_in != rn_goid());
    rn_ctx_after *late = rn_ctx_after_func(ctx, count_run, NULL); /* at once */
    CHECK(!rn_ctx_after_stop(late));
    WAIT_UNTIL(ran == 3);
    rn_ctx_after_unref(kept);
    rn_ctx_after_unref(stopped);
    rn_ctx_after_unref(late);
    rn_ctx_after *never = rn_ctx_after_func(rn_ctx_background(), count_run, NULL);
    CHECK(rn_ctx_after_stop(never) && !rn_ctx_after_stop(never));
    rn_ctx_after_unref(never);
    rn_ctx_after_unref(NULL);
    /* its own reference keeps the context for it */
    rn_ctx *root = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx *inner = rn_ctx_with_cancel(root);
    rn_ctx_after_unref(rn_ctx_after_func(inner, count_run, NULL));
    rn_ctx_unref(inner);
    rn_ctx_cancel(root, NULL);
    rn_ctx_unref(root);
    WAIT_UNTIL(ran == 4);
}

typedef rn_ctx_key_of(int) int_key;
static const int_key port_key = RN_CTX_KEY("port"), other_key = RN_CTX_KEY("port");

ITEM(159, "without_cancel keeps the values and nothing else")
{
    rn_ctx_auto parent = rn_ctx_with_timeout(rn_ctx_background(), RN_HOUR);
    rn_ctx_auto value = rn_ctx_with_value(parent, &port_key, 8080);
    rn_ctx_auto shield = rn_ctx_without_cancel(value);
    rn_ctx_auto below = rn_ctx_with_cancel(shield);
    rn_ctx_cancel(parent, "gone");
    CHECK(is_over(value) && !is_over(shield) && !is_over(below));
    CHECK(rn_ctx_done(shield) == NULL && rn_ctx_deadline(shield) == RN_NEVER);
    CHECK(rn_ctx_cause(shield) == NULL);
    CHECK_EQ(*rn_ctx_value(below, &port_key), 8080);
    rn_ctx_cancel(below, NULL);
    CHECK(is_over(below) && !is_over(shield));
}

struct point {
    int x, y;
};

ITEM(160, "the nearest value of a key counts; a key is its object, whatever its name")
{
    static const rn_ctx_key_of(struct point) point_key = RN_CTX_KEY("port");
    rn_ctx_auto a = rn_ctx_with_value(rn_ctx_background(), &port_key, 1);
    rn_ctx_auto b = rn_ctx_with_value(a, &point_key, (struct point){3, 4});
    rn_ctx_auto c = rn_ctx_with_cancel(b);
    rn_ctx_auto d = rn_ctx_with_value(c, &port_key, 2);
    CHECK_EQ(*rn_ctx_value(d, &port_key), 2);
    CHECK_EQ(*rn_ctx_value(c, &port_key), 1);
    CHECK_EQ(rn_ctx_value(d, &point_key)->y, 4);
    CHECK(rn_ctx_value(a, &point_key) == NULL && rn_ctx_value(d, &other_key) == NULL);
    CHECK(rn_ctx_value(rn_ctx_background(), &port_key) == NULL);
    rn_ctx_cancel(c, NULL);
    CHECK(is_over(d) && !is_over(b)); /* a value shows its parent's cancellation */
}

static void nil_parent(void *p)
{
    rn_ctx *no = NULL;
    switch (*(int *)p) {
    case 0: rn_ctx_with_cancel(no); break;
    case 1: rn_ctx_with_deadline(no, 1); break;
    case 2: rn_ctx_with_timeout(no, 1); break;
    case 3: rn_ctx_without_cancel(no); break;
    default: rn_ctx_with_value(no, &port_key, 1); break;
    }
}

static void nil_key(void *p)
{
    const int_key *key = p;
    rn_ctx_with_value(rn_ctx_background(), key, 1);
}

static void cancel_background(void *p)
{
    rn_ctx_cancel(p, NULL);
}

ITEM(161, "nil parent and nil key panic with Go's texts; what cannot be cancelled says so")
{
    for (int i = 0; i < 5; i++)
        CHECK_PANIC(nil_parent, &i, "cannot create context from nil parent");
    CHECK_PANIC(nil_key, NULL, "nil key");
    CHECK_PANIC(cancel_background, rn_ctx_background(),
                "cancel of a context that cannot be canceled");
    CHECK_PANIC(cancel_background, NULL,
                "runtime error: invalid memory address or nil pointer dereference");
}

static int64_t children_of(rn_ctx *ctx)
{
    int64_t n = 0;
    for (rn__canceller *c = ctx->scope->children; c != NULL; c = c->next)
        n++;
    return n;
}

ITEM(162, "a child that is cancelled, given back or stopped leaves its parent")
{
    rn_ctx_auto root = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx_auto stay = rn_ctx_with_cancel(root);
    for (int i = 0; i < 1000; i++) {
        rn_ctx *a = rn_ctx_with_cancel(root);
        rn_ctx *b = rn_ctx_with_timeout(root, RN_HOUR);
        rn_ctx *c = rn_ctx_with_timeout(root, i % 100 == 0 ? RN_US : -1);
        rn_ctx_after *f = rn_ctx_after_func(root, count_run, NULL);
        if (i % 100 == 0)
            chan_recv(rn_ctx_done(c), NULL);
        CHECK(rn_ctx_after_stop(f));
        rn_ctx_after_unref(f);
        rn_ctx_cancel(a, NULL);
        rn_ctx_unref(i % 2 ? a : b);
        rn_ctx_unref(i % 2 ? b : a);
        rn_ctx_unref(c);
    }
    WAIT_UNTIL(rn_num_goroutine() == 1); /* of the deadlines that passed */
    CHECK_EQ(children_of(root), 1);
    CHECK_EQ(ran, 0);
    CHECK(!is_over(stay));
}

ITEM(163, "the deadline's error is that of every wait that ran out of time")
{
    rn_ctx_auto ctx = rn_ctx_with_timeout(rn_ctx_background(), 1);
    chan_auto(int) c = chan_make(int, 0);
    int v = 7;
    CHECK_EQ(chan_take_ctx(c, ctx, &v), -ETIMEDOUT);
    CHECK_EQ(rn_sleep_ctx(ctx, RN_HOUR), -ETIMEDOUT);
    CHECK_EQ(chan_put_ctx(c, ctx, 1), -ETIMEDOUT);
    CHECK_EQ(v, 7);
}

ITEM(164, "the text of a context names its chain")
{
    char text[256], tiny[20];
    static const int_key unnamed = RN_CTX_KEY(NULL);
    rn_ctx_auto a = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx_auto b = rn_ctx_with_value(a, &port_key, 1);
    rn_ctx_auto c = rn_ctx_without_cancel(b);
    const char *want = "context.Background.WithCancel.WithValue(port).WithoutCancel";
    CHECK_EQ(rn_ctx_string(c, text, sizeof text), strlen(want));
    CHECK_TEXT(text, want);
    CHECK_EQ(rn_ctx_string(c, tiny, sizeof tiny), strlen(want));
    CHECK_TEXT(tiny, "context.Background.");
    CHECK_EQ(rn_ctx_string(c, NULL, 0), strlen(want));
    rn_ctx_string(rn_ctx_todo(), text, sizeof text);
    CHECK_TEXT(text, "context.TODO");
    rn_ctx_auto d = rn_ctx_with_timeout(rn_ctx_todo(), RN_HOUR);
    rn_ctx_auto e = rn_ctx_with_value(d, &unnamed, 1);
    rn_ctx_string(e, text, sizeof text);
    CHECK_HAS(text, "context.TODO.WithDeadline(");
    CHECK_HAS(text, " [35");
    CHECK_HAS(text, "s]).WithValue(0x");
}

TEST_MAIN
