/*
 * signal_context.h - a context that a signal cancels.
 *
 * Invariants
 *  - Between start and stop ctx is valid, and belongs to the struct: others that keep it longer take a
 *    reference of their own.
 *  - When stop has returned, the signals do again what they did before, ctx is cancelled, and nothing of it
 *    runs any more. The struct must stay where it is until then.
 */
#ifndef RUNNEL_SIGNAL_CONTEXT_H
#define RUNNEL_SIGNAL_CONTEXT_H

#include <runnel/context.h>
#include <runnel/signal.h>

RN_EXTERN_C_BEGIN

typedef struct rn_signal_ctx {
    rn_ctx *ctx;          /* cancelled by the first signal, by the parent, or by stop */
    rn_hchan *rn_signals; /* private: what the signals are sent to */
    rn_hchan *rn_over;    /* private: closed when the goroutine that waits for them has ended */
} rn_signal_ctx;

/*
 * Starts s: s->ctx is a child of parent, cancelled by the first of the signals that comes, with a cause as
 * "interrupt signal received". Until stop those signals do nothing else. 0, or a negative errno as
 * rn_signal_notify; then there is nothing to stop. A NULL parent panics. Go: signal.NotifyContext.
 */
RN_API int rn_signal_context_start_n(rn_signal_ctx *s, rn_ctx *parent, const int *sigs, size_t n,
                                     const char *site);
#define rn_signal_context_start(s, parent, ...)                                                  \
    __extension__({                                                                              \
        const int rn__list[] = {__VA_ARGS__};                                                    \
        rn_signal_context_start_n((s), (parent), rn__list, sizeof rn__list / sizeof rn__list[0], \
                                  RN_HERE);                                                      \
    })

/* Ends s, at any time after start; again it does nothing. May wait for the end of a goroutine, and not
 * longer. Go: the stop function that NotifyContext returns. */
RN_API RN_NONNULL void rn_signal_context_stop(rn_signal_ctx *s);

RN_EXTERN_C_END

#endif
