/*
 * select.h - waiting for several channels at once: typed cases and the macro that runs them.
 *
 *     switch (chan_select(on_recv(a, &x), on_recv(b, &y, &ok), on_send(c, v), on_default())) {
 *     case 0: ...
 *
 * Invariants
 *  - A case is a value of type rn_case; other parts add cases by making such values.
 *  - The result is the position of the case that was done, counted from 0.
 *  - Channels, values and destinations of all cases are evaluated once, also of those not chosen. C
 *    leaves the order among the cases to the compiler; C++ evaluates them in source order.
 *  - The copy that on_send makes of its value lives, in C, until the end of chan_select or, outside
 *    of it, of the enclosing block; in C++ until the end of the full expression.
 */
#ifndef RUNNEL_SELECT_H
#define RUNNEL_SELECT_H

#include <runnel/chan.h>

/* clang-format off */
#ifdef __cplusplus
#define RN__CASE(op_, c_, elem_, ok_) ::rn__cxx::make_case(op_, c_, elem_, ok_)
#define RN__TIME_CASE(op_, t_)        ::rn__cxx::make_time_case(op_, t_)
#define RN__SELECT(...)                   ::rn__cxx::select(RN_HERE, {__VA_ARGS__})
#define RN__SELECT_ORDERED(...)           ::rn__cxx::select_ordered(RN_HERE, {__VA_ARGS__})
#else
#define RN__CASE(op_, c_, elem_, ok_) \
    ((rn_case){.c = (c_), .elem = (elem_), .ok = (ok_), .op = (op_)})
#define RN__TIME_CASE(op_, t_) ((rn_case){.t = (t_), .op = (op_)})

#define RN__SELECT(...)    RN_CAT(RN__SELECT_, RN__IS_EMPTY(RN__FIRST(__VA_ARGS__)))(__VA_ARGS__)
#define RN__SELECT_1(none) rn_hselect(NULL, 0, RN_HERE)
#define RN__SELECT_0(...)  RN__SELECT_OF(rn_hselect, RN_UNIQUE(rn__cases), __VA_ARGS__)
#define RN__SELECT_OF(call, cases, ...)                                \
    __extension__({                                                    \
        const rn_case cases[] = {__VA_ARGS__};                         \
        call(cases, sizeof cases / sizeof cases[0], RN_HERE);          \
    })
#define RN__SELECT_ORDERED(...) \
    RN__SELECT_OF(rn_hselect_ordered, RN_UNIQUE(rn__cases), __VA_ARGS__)

/* C11 has neither empty initializers nor __VA_OPT__, so the empty list must be told from others by
 * hand. If RN__COMMA a () is a comma, then nothing stands between them, or something that starts
 * with a parenthesis; but only in the second case RN__COMMA a, without (), is one, too. */
#define RN__COMMA(...)     ,
#define RN__HAS_COMMA(...) RN__THIRD(__VA_ARGS__, 1, 0, )
#define RN__THIRD(...)     RN__THIRD_(__VA_ARGS__)
#define RN__THIRD_(a, b, c, ...) c
#define RN__IS_EMPTY(a)    RN__IS_(RN__HAS_COMMA(RN__COMMA a ()), RN__HAS_COMMA(RN__COMMA a))
#define RN__IS_(x, y)      RN__IS__(x, y)
#define RN__IS__(x, y)     RN__IS_##x##y
#define RN__IS_00 0
#define RN__IS_10 1
#define RN__IS_11 0
#endif

/* The cases. on_recv(c, p) or on_recv(c, p, &ok): p and ok may be NULL. on_send(c, v): panics "send
 * on closed channel" if chosen then. on_after: a duration, on_deadline: a time on rn_now(). A case
 * whose channel is NULL never fires. Go: case *p, *ok = <-c; case c <- v; case <-time.After(d). */
#define rn_on_recv(c, ...)     RN_CAT(RN__ON_RECV_, RN__IS_ONE(__VA_ARGS__))(c, __VA_ARGS__)
#define RN__ON_RECV_1(c, p)    RN__ON_RECV_0(c, p, NULL)
#define RN__ON_RECV_0(c, p, k) RN__CASE(RN_OP_RECV, RN__RECV(c, "on_recv"), RN__INTO(c, p), k)
#define rn_on_send(c, ...) \
    RN__CASE(RN_OP_SEND, RN__SEND(c, "on_send"), RN__VALUE(c, __VA_ARGS__), NULL)
#define rn_on_after(ns)          RN__TIME_CASE(RN_OP_AFTER, ns)
#define rn_on_deadline(deadline) RN__TIME_CASE(RN_OP_DEADLINE, deadline)
#define rn_on_default()          RN__TIME_CASE(RN_OP_DEFAULT, 0)
/* clang-format on */

/* Does exactly one of the cases, chosen at random among those that are ready, and returns its
 * position; waits if none is ready and there is no on_default(). Without cases it blocks for ever.
 * Go: select. */
#define rn_chan_select(...)         RN__SELECT(__VA_ARGS__)

/* The same with priorities: of several ready cases the first in source order is done; at one instant it
 * was ready and none before it was, so no case has to be looked at twice. on_default() and time cases
 * come last, wherever they stand. Waiting is as in chan_select: what becomes ready first is done. At
 * least one case. Go: nested selects with default, and a second look. */
#define rn_chan_select_ordered(...) RN__SELECT_ORDERED(__VA_ARGS__)

/* Both over a table of n cases made at run time. Go: reflect.Select. */
#define rn_select(cases, n)         rn_hselect(cases, RN__CAST(size_t, n), RN_HERE)
#define rn_select_ordered(cases, n) rn_hselect_ordered(cases, RN__CAST(size_t, n), RN_HERE)

#ifndef RN_NO_SHORT_NAMES
#define on_recv(c, ...)          rn_on_recv(c, __VA_ARGS__)
#define on_send(c, ...)          rn_on_send(c, __VA_ARGS__)
#define on_after(ns)             rn_on_after(ns)
#define on_deadline(deadline)    rn_on_deadline(deadline)
#define on_default()             rn_on_default()
#define chan_select(...)         rn_chan_select(__VA_ARGS__)
#define chan_select_ordered(...) rn_chan_select_ordered(__VA_ARGS__)
#endif

#endif
