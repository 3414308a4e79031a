/*
 * cxx.hpp - the primitives of the typed layer for C++11 and later; chan.h includes it.
 *
 * The channel types are the same pointers as in C, so that headers, function signatures and object
 * files can be shared between the two languages. Templates do here what _Generic and compound
 * literals do there.
 *
 * Invariants
 *  - Elements must be trivially copyable: they are copied as bytes and never destroyed.
 *  - Nothing here is part of the ABI; all of it is inline, and none of it throws.
 *  - rn__cxx is private; programs use the macros of chan.h, select.h and go.h.
 */
#ifndef RUNNEL_CXX_HPP
#define RUNNEL_CXX_HPP

#ifndef __cplusplus
#error "cxx.hpp is for C++; in C include runnel.h"
#endif

#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>

#include <runnel/base.h>
#include <runnel/hchan.h>
#include <runnel/sched.h>

struct rn_chan_of;

/* Inlined even without optimization, so that back-traces go from the user's frame to the library. */
#define RN__CXX_INLINE inline __attribute__((always_inline))

namespace rn__cxx
{

/* ----------------------------------------------------------------------------------- channels */

/* What a type is as a channel: element type, and which directions it has. */
template <class C> struct traits {
    static constexpr bool channel = false, sends = true, receives = true;
    typedef char elem; /* of no use, but spares the reader a second error message */
};
template <class T> struct traits<T *(**)(rn_chan_of *)> {
    static constexpr bool channel = true, sends = true, receives = true;
    typedef T elem;
};
template <class T> struct traits<T *(*const *)(rn_chan_of *)> {
    static constexpr bool channel = true, sends = false, receives = true;
    typedef T elem;
};
template <class T> struct traits<T *(*volatile *)(rn_chan_of *)> {
    static constexpr bool channel = true, sends = true, receives = false;
    typedef T elem;
};

/* The type of an expression without reference, const and volatile. */
template <class E> struct plain {
    typedef typename std::remove_cv<typename std::remove_reference<E>::type>::type type;
};

template <class E> struct elem_of {
    typedef traits<typename plain<E>::type> its;
    static_assert(its::channel, "this is not a channel");
    typedef typename its::elem type;
};
template <class E> using elem = typename elem_of<E>::type;

/* The untyped channel. What is no channel has been refused where this is called. */
template <class T> RN__CXX_INLINE rn_hchan *raw(T *c)
{
    return reinterpret_cast<rn_hchan *>(reinterpret_cast<uintptr_t>(c));
}
RN__CXX_INLINE rn_hchan *raw(...)
{
    return nullptr;
}

template <class C> RN__CXX_INLINE rn_hchan *any(C c)
{
    static_assert(traits<C>::channel, "this is not a channel");
    return raw(c);
}
template <class C> RN__CXX_INLINE rn_hchan *sender(C c)
{
    static_assert(traits<C>::channel, "this is not a channel");
    static_assert(traits<C>::sends, "this is a receive-only channel (recv_chan)");
    return raw(c);
}
template <class C> RN__CXX_INLINE rn_hchan *receiver(C c)
{
    static_assert(traits<C>::channel, "this is not a channel");
    static_assert(traits<C>::receives, "this is a send-only channel (send_chan)");
    return raw(c);
}

/* A copy of a value that lives until the end of the full expression. */
template <class T> struct held {
    T value;
    RN__CXX_INLINE held(const T &v) : value(v)
    {
    }
    RN__CXX_INLINE T *addr()
    {
        return &value;
    }
};

/* Only conversions to the parameter's type happen here, as in any call. */
template <class T> RN__CXX_INLINE T *into(T *p)
{
    return p;
}
template <class T> RN__CXX_INLINE const T *from(const T *p)
{
    return p;
}

template <class T>
struct elem_size : std::integral_constant<size_t, std::is_same<T, rn_unit>::value ? 0 : sizeof(T)> {
    static_assert(std::is_trivially_copyable<T>::value,
                  "channel elements are copied as bytes: this type is not trivially copyable");
    static_assert(!std::is_array<T>::value, "arrays cannot be channel elements: use a struct");
    static_assert(sizeof(T) <= 65535, "channel element type too large (>64kB)");
};

/* The address of an object that may be a temporary, and then lives to the end of the expression. */
template <class T> RN__CXX_INLINE const T *address(const T &object)
{
    return &object;
}

template <class C> RN__CXX_INLINE C typed(rn_hchan *c)
{
    return reinterpret_cast<C>(c);
}
template <class E> RN__CXX_INLINE typename plain<E>::type same(rn_hchan *c)
{
    return reinterpret_cast<typename plain<E>::type>(c);
}

/* ------------------------------------------------------------------------------------- select */

RN__CXX_INLINE rn_case make_case(uint8_t op, rn_hchan *c, void *elem, bool *ok, int64_t t)
{
    rn_case k = rn_case();
    k.op = op;
    k.c = c;
    k.elem = elem;
    k.ok = ok;
    k.t = t;
    return k;
}

RN__CXX_INLINE int select(const char *site, std::initializer_list<rn_case> cases)
{
    return rn_hselect(cases.begin(), cases.size(), site);
}

/* ----------------------------------------------------------------------------------------- go */

/* The arguments of a goroutine, each in a base class, so that none takes no room. call() collects
 * references to them, the first argument first, and calls. */
template <class... A> struct args {
    template <class F, class... D> void call(F &f, D &...collected)
    {
        f(static_cast<D &&>(collected)...);
    }
};
template <class H, class... T> struct args<H, T...> : args<T...> {
    H head;
    args(H h, T... t) : args<T...>(std::move(t)...), head(std::move(h))
    {
    }
    template <class F, class... D> void call(F &f, D &...collected)
    {
        args<T...>::call(f, collected..., head);
    }
};

/* What a goroutine of C++ runs. */
template <class F, class... A> struct job : args<A...> {
    F fn;
    job(F f, A... a) : args<A...>(std::move(a)...), fn(std::move(f))
    {
    }
    void run()
    {
        this->call(fn);
    }
};

/* An exception that nobody caught in the goroutine calls std::terminate, as in std::thread. */
template <class J> void run_copy(void *p) noexcept
{
    static_cast<J *>(p)->run();
}
template <class J> void run_box(void *p) noexcept
{
    J *box = *static_cast<J **>(p);
    J here(std::move(*box));
    delete box; /* before the call, which may end by rn_goexit and not come back here */
    here.run();
}

/* Jobs that are plain bytes travel as such; others on the heap, behind a pointer. */
template <class J>
using plain_bytes =
    std::integral_constant<bool, std::is_trivially_copyable<J>::value &&
                                     std::is_trivially_destructible<J>::value && alignof(J) <= 16>;

template <class J> void launch(const rn_go_attr *attr, const rn_go_site *where, J j, std::true_type)
{
    rn_go_start(run_copy<J>, &j, sizeof j, attr, where);
}
template <class J>
void launch(const rn_go_attr *attr, const rn_go_site *where, J j, std::false_type)
{
    J *box = new J(std::move(j));
    rn_go_start(run_box<J>, &box, sizeof box, attr, where);
}

template <class T> struct same_as {
    typedef T type;
};
template <class P> struct storable {
    static_assert(!std::is_lvalue_reference<P>::value ||
                      std::is_const<typename std::remove_reference<P>::type>::value,
                  "go: a goroutine gets copies of its arguments: pass a pointer instead");
    typedef typename std::decay<P>::type type;
};

/* A function: the arguments are converted to its parameters here, in the caller. */
template <class R, class... P>
void start(const rn_go_attr *attr, const rn_go_site *where, R (*fn)(P...),
           typename same_as<P>::type... a)
{
    typedef job<R (*)(P...), typename storable<P>::type...> J;
    launch<J>(attr, where, J(fn, static_cast<P &&>(a)...), plain_bytes<J>());
}

/* A lambda or another function object, with copies of what it is called with. */
template <class F, class... A>
typename std::enable_if<std::is_class<F>::value>::type start(const rn_go_attr *attr,
                                                             const rn_go_site *where, F fn, A... a)
{
    typedef job<F, A...> J;
    launch<J>(attr, where, J(std::move(fn), std::move(a)...), plain_bytes<J>());
}

/* Whether a function can be called with the types that GO_FUNC names. */
template <class... A> struct call_with {
    template <class F>
    static auto test(F *f) -> decltype((*f)(std::declval<A>()...), std::true_type());
    static std::false_type test(...);
};
template <class... A, class F> constexpr bool accepts(F *f)
{
    return decltype(call_with<A...>::test(f))::value;
}

/* The text of go's first argument, or what stands for a lambda. */
constexpr const char *name_of(const char *text)
{
    return text[0] == '[' ? "lambda" : text;
}

} // namespace rn__cxx

/* The primitives of chan.h. */
#define RN__ELEM(c)       ::rn__cxx::elem<decltype(c)>
#define RN__ANY(c)        ::rn__cxx::any(c)
#define RN__SEND(c, what) ::rn__cxx::sender(c)
#define RN__RECV(c, what) ::rn__cxx::receiver(c)
#define RN__VALUE(c, ...) ::rn__cxx::held<RN__ELEM(c)>(__VA_ARGS__).addr()
#define RN__FROM(c, p)    ::rn__cxx::from<RN__ELEM(c)>(p)
#define RN__INTO(c, p)    ::rn__cxx::into<RN__ELEM(c)>(p)
#define RN__CAST(T, x)    static_cast<T>(x)
#define RN__ELEM_SIZE(T)  ::rn__cxx::elem_size<T>::value
#define RN__MAKE(T, call) ::rn__cxx::typed<rn_chan(T)>(call)
#define RN__OPTS(...)     ::rn__cxx::address(rn_chan_opts{__VA_ARGS__})
#define RN__SAME(c, h)    ::rn__cxx::same<decltype(c)>(h)

#endif
