/*
 * go.h - starting goroutines with typed arguments.
 *
 *     static void worker(int id, recv_chan(struct job) jobs);
 *     GO_FUNC(worker, int, recv_chan(struct job));     one line per function, at file scope
 *     ...
 *     go(worker, 3, jobs);
 *
 * C cannot ask a function for its parameters, so GO_FUNC repeats them once; the compiler compares
 * the two. In C++ `go` takes any function or lambda and GO_FUNC is optional.
 *
 * Invariants
 *  - Arguments are evaluated and converted in the spawning goroutine, as in a call.
 *  - Every go statement has a static rn_go_site of its own, which dumps show for its goroutines.
 *  - Everything that GO_FUNC(fn) declares is private to the file and carries fn in its name:
 *    rn_go_args_fn, rn_go_run_fn, rn_go_result_fn, rn_go_call_fn and rn_GO_FUNC_missing_for_fn.
 */
#ifndef RUNNEL_GO_H
#define RUNNEL_GO_H

#include <runnel/base.h>
#include <runnel/chan.h>
#include <runnel/sched.h>
#include <runnel/select.h>

/* How and where a goroutine is started. */
typedef struct rn__go_how {
    const rn_go_attr *attr;  /* NULL: defaults */
    const rn_go_site *where; /* static */
} rn__go_how;

/* What go0 and go1 hand over. */
typedef struct rn__go0_args {
    void (*fn)(void);
} rn__go0_args;
typedef struct rn__go1_args {
    void (*fn)(void *);
    void *arg;
} rn__go1_args;

static inline RN_UNUSED void rn__go0_run(void *args_)
{
    RN__CAST(rn__go0_args *, args_)->fn();
}

static inline RN_UNUSED void rn__go1_run(void *args_)
{
    rn__go1_args *a_ = RN__CAST(rn__go1_args *, args_);
    a_->fn(a_->arg);
}

static inline RN_UNUSED void rn__go0(void (*fn_)(void), rn__go_how how_)
{
    rn__go0_args a_ = {fn_};
    rn_go_start(rn__go0_run, &a_, sizeof a_, how_.attr, how_.where);
}

static inline RN_UNUSED void rn__go1(void (*fn_)(void *), void *arg_, rn__go_how how_)
{
    rn__go1_args a_ = {fn_, arg_};
    rn_go_start(rn__go1_run, &a_, sizeof a_, how_.attr, how_.where);
}

/* The static record of a go statement. */
#define RN__GO_SITE(fname)                                             \
    __extension__({                                                    \
        static const rn_go_site rn__site = {fname, __func__, RN_HERE}; \
        &rn__site;                                                     \
    })

/* clang-format off */
#ifdef __cplusplus
#define RN__GO_HOW(attr, fname) (rn__go_how{attr, RN__GO_SITE(fname)})
#define RN__GO_ATTR(attr)       ::rn__cxx::address<rn_go_attr>(attr)
#define RN__GO_NAME(...)        ::rn__cxx::name_of(RN_STR(RN__FIRST(__VA_ARGS__)))
#define RN__GO(attr, ...) \
    ::rn__cxx::start(attr, RN__GO_SITE(RN__GO_NAME(__VA_ARGS__)), __VA_ARGS__)
#else
#define RN__GO_HOW(attr, fname) ((rn__go_how){attr, RN__GO_SITE(fname)})
#define RN__GO_ATTR(attr)       (&(attr))
/* The record comes last, so that compilers number the arguments as the user does. */
#define RN__GO(attr, ...) \
    RN__GO_CALL(__VA_ARGS__, RN__GO_HOW(attr, RN_STR(RN__FIRST(__VA_ARGS__))))
#define RN__GO_CALL(fn, ...) ((void)rn_GO_FUNC_missing_for_##fn, rn_go_call_##fn(__VA_ARGS__))
#endif

/*
 * go(fn, args...) starts a goroutine that calls fn(args...). The arguments are copied, converted to
 * the parameters' types as in a call; what fn returns is dropped. In C, GO_FUNC(fn, types...) must
 * have named fn before. In C++ also go([=] { ... }). Never blocks; out of memory is fatal.
 * Go: go fn(args...).
 */
#define rn_go(...) RN__GO(NULL, __VA_ARGS__)

/* The same with attributes: go_with(((rn_go_attr){.name = "w3", .stay = true}), fn, args...). */
#define rn_go_with(attr, ...) RN__GO(RN__GO_ATTR(attr), __VA_ARGS__)

/* Without GO_FUNC: for void fn(void), and for void fn(void *). */
#define rn_go0(fn)                 rn__go0(fn, RN__GO_HOW(NULL, #fn))
#define rn_go1(fn, arg)            rn__go1(fn, arg, RN__GO_HOW(NULL, #fn))
#define rn_go0_with(attr, fn)      rn__go0(fn, RN__GO_HOW(RN__GO_ATTR(attr), #fn))
#define rn_go1_with(attr, fn, arg) rn__go1(fn, arg, RN__GO_HOW(RN__GO_ATTR(attr), #fn))
/* clang-format on */

/*
 * GO_FUNC(fn, types...); at file scope, once per file, lets `go` start fn: any function of up to 16
 * parameters, static or not, of this program or of a library. GO_FUNC(fn); if it has none. Costs
 * nothing if unused.
 */
#define RN_GO_FUNC(...) RN_CAT(RN__GO_FUNC_, RN__IS_ONE(__VA_ARGS__))(__VA_ARGS__)

#ifdef __cplusplus
#define RN__GO_FUNC_1(fn)      RN__GO_FUNC_OK(::rn__cxx::accepts<>(&(fn)))
#define RN__GO_FUNC_0(fn, ...) RN__GO_FUNC_OK(::rn__cxx::accepts<__VA_ARGS__>(&(fn)))
#define RN__GO_FUNC_OK(...) \
    static_assert(__VA_ARGS__, "GO_FUNC: the function does not take these types")
#else
/* The call's value if it is an int, else 0 after the call: what a member of a group returns. */
#define RN__RESULT(...) \
    _Generic((__VA_ARGS__), int : (__VA_ARGS__), default : ((void)(__VA_ARGS__), 0))

#define RN__GO_FUNC_1(fn)                                                  \
    static void rn_go_run_##fn(void *rn__p)                                \
    {                                                                      \
        (void)rn__p;                                                       \
        (void)(fn)();                                                      \
    }                                                                      \
    static inline RN_UNUSED int rn_go_result_##fn(void *rn__p)             \
    {                                                                      \
        (void)rn__p;                                                       \
        return RN__RESULT((fn)());                                         \
    }                                                                      \
    static inline RN_UNUSED void rn_go_call_##fn(rn__go_how rn__how)       \
    {                                                                      \
        rn_go_start(rn_go_run_##fn, NULL, 0, rn__how.attr, rn__how.where); \
    }                                                                      \
    enum { rn_GO_FUNC_missing_for_##fn = 1 }

#define RN__GO_FUNC_0(fn, ...)                                                                     \
    struct rn_go_args_##fn {                                                                       \
        RN__EACH(RN__GO_FIELD, RN__GO_FIELD, __VA_ARGS__)                                          \
    };                                                                                             \
    static void rn_go_run_##fn(void *rn__p)                                                        \
    {                                                                                              \
        struct rn_go_args_##fn *rn__a = (struct rn_go_args_##fn *)rn__p;                           \
        (void)(fn)(RN__EACH(RN__GO_GIVE, RN__GO_LAST, __VA_ARGS__));                               \
    }                                                                                              \
    static inline RN_UNUSED int rn_go_result_##fn(void *rn__p)                                     \
    {                                                                                              \
        struct rn_go_args_##fn *rn__a = (struct rn_go_args_##fn *)rn__p;                           \
        return RN__RESULT((fn)(RN__EACH(RN__GO_GIVE, RN__GO_LAST, __VA_ARGS__)));                  \
    }                                                                                              \
    static inline RN_UNUSED void rn_go_call_##fn(RN__EACH(RN__GO_PARAM, RN__GO_PARAM, __VA_ARGS__) \
                                                     rn__go_how rn__how)                           \
    {                                                                                              \
        struct rn_go_args_##fn rn__a = {RN__EACH(RN__GO_INIT, RN__GO_INIT, __VA_ARGS__)};          \
        rn_go_start(rn_go_run_##fn, &rn__a, sizeof rn__a, rn__how.attr, rn__how.where);            \
    }                                                                                              \
    enum { rn_GO_FUNC_missing_for_##fn = 1 }

/* clang-format off */
#define RN__GO_FIELD(n, T) __typeof__(T) rn__arg##n;
#define RN__GO_PARAM(n, T) __typeof__(T) rn__arg##n,
#define RN__GO_INIT(n, T)  rn__arg##n,
#define RN__GO_GIVE(n, T)  rn__a->rn__arg##n,
#define RN__GO_LAST(n, T)  rn__a->rn__arg##n

/* m(k, T) for each T but the last, last(1, T) for that one; k counts down. */
#define RN__EACH(m, last, ...) RN_CAT(RN__EACH_, RN__COUNT(__VA_ARGS__))(m, last, __VA_ARGS__)
#define RN__EACH_1(m, l, T)       l(1, T)
#define RN__EACH_2(m, l, T, ...)  m(2, T) RN__EACH_1(m, l, __VA_ARGS__)
#define RN__EACH_3(m, l, T, ...)  m(3, T) RN__EACH_2(m, l, __VA_ARGS__)
#define RN__EACH_4(m, l, T, ...)  m(4, T) RN__EACH_3(m, l, __VA_ARGS__)
#define RN__EACH_5(m, l, T, ...)  m(5, T) RN__EACH_4(m, l, __VA_ARGS__)
#define RN__EACH_6(m, l, T, ...)  m(6, T) RN__EACH_5(m, l, __VA_ARGS__)
#define RN__EACH_7(m, l, T, ...)  m(7, T) RN__EACH_6(m, l, __VA_ARGS__)
#define RN__EACH_8(m, l, T, ...)  m(8, T) RN__EACH_7(m, l, __VA_ARGS__)
#define RN__EACH_9(m, l, T, ...)  m(9, T) RN__EACH_8(m, l, __VA_ARGS__)
#define RN__EACH_10(m, l, T, ...) m(10, T) RN__EACH_9(m, l, __VA_ARGS__)
#define RN__EACH_11(m, l, T, ...) m(11, T) RN__EACH_10(m, l, __VA_ARGS__)
#define RN__EACH_12(m, l, T, ...) m(12, T) RN__EACH_11(m, l, __VA_ARGS__)
#define RN__EACH_13(m, l, T, ...) m(13, T) RN__EACH_12(m, l, __VA_ARGS__)
#define RN__EACH_14(m, l, T, ...) m(14, T) RN__EACH_13(m, l, __VA_ARGS__)
#define RN__EACH_15(m, l, T, ...) m(15, T) RN__EACH_14(m, l, __VA_ARGS__)
#define RN__EACH_16(m, l, T, ...) m(16, T) RN__EACH_15(m, l, __VA_ARGS__)

#define RN__COUNT(...) RN__17TH(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1,)
#define RN__17TH(...)  RN__17TH_(__VA_ARGS__)
#define RN__17TH_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, ...) q
/* clang-format on */
#endif /* C */

#ifndef RN_NO_SHORT_NAMES
#define go(...)                 rn_go(__VA_ARGS__)
#define go_with(attr, ...)      rn_go_with(attr, __VA_ARGS__)
#define go0(fn)                 rn_go0(fn)
#define go1(fn, arg)            rn_go1(fn, arg)
#define go0_with(attr, fn)      rn_go0_with(attr, fn)
#define go1_with(attr, fn, arg) rn_go1_with(attr, fn, arg)
#define GO_FUNC(...)            RN_GO_FUNC(__VA_ARGS__)
#endif

#endif
