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
 *  - Parameters and locals end in an underscore, here and in the inline functions of those headers:
 *    whatever a program calls its globals, nothing shadows them.
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

/* Inlined even without optimization: back-traces go from the user's frame to the library's. */
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
template <class T> RN__CXX_INLINE rn_hchan *raw(T *c_)
{
    return reinterpret_cast<rn_hchan *>(reinterpret_cast<uintptr_t>(c_));
}
RN__CXX_INLINE rn_hchan *raw(...)
{
    return nullptr;
}

template <class C> RN__CXX_INLINE rn_hchan *any(C c_)
{
    static_assert(traits<C>::channel, "this is not a channel");
    return raw(c_);
}
template <class C> RN__CXX_INLINE rn_hchan *sender(C c_)
{
    static_assert(traits<C>::channel, "this is not a channel");
    static_assert(traits<C>::sends, "this is a receive-only channel (recv_chan)");
    return raw(c_);
}
template <class C> RN__CXX_INLINE rn_hchan *receiver(C c_)
{
    static_assert(traits<C>::channel, "this is not a channel");
    static_assert(traits<C>::receives, "this is a send-only channel (send_chan)");
    return raw(c_);
}

/* A copy of a value that lives until the end of the full expression. */
template <class T> struct held {
    T value;
    RN__CXX_INLINE held(const T &v_) : value(v_)
    {
    }
    RN__CXX_INLINE T *addr()
    {
        return &value;
    }
};

/* Only conversions to the parameter's type happen here, as in any call. */
template <class T> RN__CXX_INLINE T *into(T *p_)
{
    return p_;
}
template <class T> RN__CXX_INLINE const T *from(const T *p_)
{
    return p_;
}

template <class T>
struct elem_size : std::integral_constant<size_t, std::is_same<T, rn_unit>::value ? 0 : sizeof(T)> {
    static_assert(std::is_trivially_copyable<T>::value,
                  "channel elements are copied as bytes: this type is not trivially copyable");
    static_assert(!std::is_array<T>::value, "arrays cannot be channel elements: use a struct");
    static_assert(sizeof(T) <= 65535, "channel element type too large (>64kB)");
};

/* The address of an object that may be a temporary, and then lives to the end of the expression. */
template <class T> RN__CXX_INLINE const T *address(const T &object_)
{
    return &object_;
}

template <class C> RN__CXX_INLINE C typed(rn_hchan *c_)
{
    return reinterpret_cast<C>(c_);
}
template <class E> RN__CXX_INLINE typename plain<E>::type same(rn_hchan *c_)
{
    return reinterpret_cast<typename plain<E>::type>(c_);
}

/* ------------------------------------------------------------------------------------- select */

RN__CXX_INLINE rn_case make_case(uint8_t op_, rn_hchan *c_, void *elem_, bool *ok_)
{
    rn_case k_ = rn_case();
    k_.op = op_;
    k_.c = c_;
    k_.elem = elem_;
    k_.ok = ok_;
    return k_;
}

RN__CXX_INLINE rn_case make_time_case(uint8_t op_, int64_t t_)
{
    rn_case k_ = rn_case();
    k_.op = op_;
    k_.t = t_;
    return k_;
}

#if __cplusplus < 201402L
/* C++11 has no default member initializers in aggregates: g++ would warn about what is left out. */
RN__CXX_INLINE rn_chan_opts options(void (*drop_)(void *) = nullptr, const char *name_ = nullptr,
                                    bool unbounded_ = false, std::size_t soft_limit_ = 0,
                                    void (*high_)(std::size_t, void *) = nullptr,
                                    void *arg_ = nullptr)
{
    return rn_chan_opts{drop_, name_, unbounded_, soft_limit_, high_, arg_};
}
#endif

RN__CXX_INLINE int select_ordered(const char *site_, std::initializer_list<rn_case> cases_)
{
    return rn_hselect_ordered(cases_.begin(), cases_.size(), site_);
}

RN__CXX_INLINE int select(const char *site_, std::initializer_list<rn_case> cases_)
{
    return rn_hselect(cases_.begin(), cases_.size(), site_);
}

/* ----------------------------------------------------------------------------------------- go */

/* The arguments of a goroutine, each in a base class, so that none takes no room. call() collects
 * references to them, the first argument first, and calls. */
template <class... A> struct args {
    template <class F, class... D> void call(F &f_, D &...collected_)
    {
        f_(static_cast<D &&>(collected_)...);
    }
};
template <class H, class... T> struct args<H, T...> : args<T...> {
    H head;
    args(H h_, T... t_) : args<T...>(std::move(t_)...), head(std::move(h_))
    {
    }
    template <class F, class... D> void call(F &f_, D &...collected_)
    {
        args<T...>::call(f_, collected_..., head);
    }
};

/* What a goroutine of C++ runs. */
template <class F, class... A> struct job : args<A...> {
    F fn;
    job(F f_, A... a_) : args<A...>(std::move(a_)...), fn(std::move(f_))
    {
    }
    void run()
    {
        this->call(fn);
    }
};

/* An exception that nobody caught in the goroutine calls std::terminate, as in std::thread. */
template <class J> void run_copy(void *p_) noexcept
{
    static_cast<J *>(p_)->run();
}
template <class J> void run_box(void *p_) noexcept
{
    J *box_ = *static_cast<J **>(p_);
    J here_(std::move(*box_));
    delete box_; /* before the call, which may end by rn_goexit and not come back here */
    here_.run();
}

/* Jobs that are plain bytes travel as such; others on the heap, behind a pointer. */
template <class J>
using plain_bytes =
    std::integral_constant<bool, std::is_trivially_copyable<J>::value &&
                                     std::is_trivially_destructible<J>::value && alignof(J) <= 16>;

template <class J>
void launch(const rn_go_attr *attr_, const rn_go_site *where_, J j_, std::true_type)
{
    rn_go_start(run_copy<J>, &j_, sizeof j_, attr_, where_);
}
template <class J>
void launch(const rn_go_attr *attr_, const rn_go_site *where_, J j_, std::false_type)
{
    J *box_ = new J(std::move(j_));
    rn_go_start(run_box<J>, &box_, sizeof box_, attr_, where_);
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
void start(const rn_go_attr *attr_, const rn_go_site *where_, R (*fn_)(P...),
           typename same_as<P>::type... a_)
{
    typedef job<R (*)(P...), typename storable<P>::type...> J;
    launch<J>(attr_, where_, J(fn_, static_cast<P &&>(a_)...), plain_bytes<J>());
}

/* A lambda or another function object, with copies of what it is called with. */
template <class F, class... A>
typename std::enable_if<std::is_class<F>::value>::type start(const rn_go_attr *attr_,
                                                             const rn_go_site *where_, F fn_,
                                                             A... a_)
{
    typedef job<F, A...> J;
    launch<J>(attr_, where_, J(std::move(fn_), std::move(a_)...), plain_bytes<J>());
}

/* Whether a function can be called with the types that GO_FUNC names. */
template <class... A> struct call_with {
    template <class F>
    static auto test(F *f_) -> decltype((*f_)(std::declval<A>()...), std::true_type());
    static std::false_type test(...);
};
template <class... A, class F> constexpr bool accepts(F *f_)
{
    return decltype(call_with<A...>::test(f_))::value;
}

/* The text of go's first argument, or what stands for a lambda. */
constexpr const char *name_of(const char *text_)
{
    return text_[0] == '[' ? "lambda" : text_;
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
#if __cplusplus >= 201402L
#define RN__OPTS(...) ::rn__cxx::address(rn_chan_opts{__VA_ARGS__})
#else
#define RN__OPTS(...) ::rn__cxx::address(::rn__cxx::options(__VA_ARGS__))
#endif
#define RN__SAME(c, h) ::rn__cxx::same<decltype(c)>(h)

#endif
