/*
 * signal.h - the signals of the operating system, as values of a channel.
 *
 * A signal that is asked for arrives as its number in a channel of int, sent by a thread of the
 * library: also while all workers compute, and in channels that only a foreign thread looks at. What
 * is received may be handled by ordinary code; nothing of it runs inside of a signal handler.
 *
 * Invariants
 *  - Delivery never blocks: a channel that is full, or unbuffered with nobody waiting, loses the
 *    signal. Room for one is enough for a signal of which it only matters that it came.
 *  - Signals of one number that come faster than they can be sent are merged, as the system does.
 *  - What the program had set up for a signal before is put back when nobody asks for it any more.
 *  - While a channel is registered the program counts as alive: the deadlock report waits until the
 *    last one is stopped, since a signal may always come.
 *  - The registration holds a reference to the channel.
 *
 * Cannot be asked for: SIGKILL, SIGSTOP, the signals by which the processor reports a fault (SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL, SIGTRAP), and those that the C library keeps for itself. The
 * program's own threads may have the others blocked: a thread of the library takes them.
 */
#ifndef RUNNEL_SIGNAL_H
#define RUNNEL_SIGNAL_H

#include <runnel/chan.h>

#include <signal.h>

RN_EXTERN_C_BEGIN

/*
 * rn_signal_notify(c, SIGINT, SIGTERM): from now on these signals are sent to c, too, which may be
 * registered already for others. Without any, all that can be asked for. 0; -EINVAL if one of them
 * cannot be asked for, and then nothing has happened; -ENOMEM, -EAGAIN without memory or threads.
 * Panics "os/signal: Notify using nil channel". Never blocks. Go: signal.Notify(c, sigs...).
 */
RN_API int rn_signal_notify_v(const char *site, rn_send_chan(int) c, ...);
#define rn_signal_notify(...) rn_signal_notify_v(RN_HERE, __VA_ARGS__, 0)

/* The same from a table of n; n = 0: all. */
RN_API int rn_signal_notify_n(rn_send_chan(int) c, const int *sigs, size_t n, const char *site);

/*
 * Ends all that was asked for with c, and drops the reference. What had arrived before is sent first;
 * when it returns, nothing more will come. c is not closed. May wait for a moment. NULL, or a
 * channel that is not registered, is fine. Go: signal.Stop(c).
 */
RN_API void rn_signal_stop(rn_send_chan(int) c);

/*
 * rn_signal_reset(SIGHUP): no channel gets these signals any more, and they do again what they did
 * before the first notify or ignore. Without any: all. 0, or -EINVAL. Go: signal.Reset(sigs...).
 */
#define rn_signal_reset(...) RN__SIGNALS(rn_signal_reset_n, __VA_ARGS__)
RN_API int rn_signal_reset_n(const int *sigs, size_t n);

/* rn_signal_ignore(SIGHUP): the same, but from now on nothing happens when they come. 0, or
 * -EINVAL. Go: signal.Ignore(sigs...). */
#define rn_signal_ignore(...) RN__SIGNALS(rn_signal_ignore_n, __VA_ARGS__)
RN_API int rn_signal_ignore_n(const int *sigs, size_t n);

/* Whether the process ignores sig now, by rn_signal_ignore or since its start. Go: signal.Ignored. */
RN_API bool rn_signal_ignored(int sig);

/* The signal in Go's words, as "interrupt"; "signal 35" for one without a name, and "signal ?" for a
 * number outside of 0 to 64. The text lives for ever. Go: sig.String(). */
RN_API const char *rn_signal_text(int sig);

RN_EXTERN_C_END

/* The table starts with a 0, since an empty one could not be written. */
#ifdef __cplusplus
#include <initializer_list>
namespace rn__cxx
{
inline int with_signals(int (*fn_)(const int *, size_t), std::initializer_list<int> list_)
{
    return fn_(list_.begin() + 1, list_.size() - 1);
}
} // namespace rn__cxx
#define RN__SIGNALS(fn, ...) ::rn__cxx::with_signals(fn, {0, __VA_ARGS__})
#else
#define RN__SIGNALS(fn, ...) RN__SIGNALS_OF(RN_UNIQUE(rn__sigs), fn, __VA_ARGS__)
#define RN__SIGNALS_OF(list, fn, ...)                 \
    __extension__({                                   \
        const int list[] = {0, __VA_ARGS__};          \
        fn(list + 1, sizeof list / sizeof *list - 1); \
    })
#endif

#endif
