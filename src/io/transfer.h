/*
 * transfer.h - the one loop behind every call that transfers: try, wait if it would block, try again.
 *
 * Invariants
 *  - errno is read anew after each call: the goroutine may have changed its thread before.
 *  - Numbers that the kernel has no readiness for are used inside a blocking section.
 */
#ifndef RN_IO_TRANSFER_H
#define RN_IO_TRANSFER_H

#include "desc.h"
#include <runnel/errno.h>

/* What one try gives: its result, or a negative errno. */
static inline ssize_t result(ssize_t n)
{
    return RN_LIKELY(n >= 0) ? n : -(ssize_t)errno;
}

/* Runs TRY (an expression with a ssize_t value, -1 for errno) on fd until it does not say EAGAIN. */
#define TRANSFER(fd, side, deadline, TRY)                   \
    do {                                                    \
        int err_ = 0;                                       \
        rn__desc *d_ = rn__desc_enter(fd, &err_);           \
        if (d_ == NULL)                                     \
            return err_;                                    \
        ssize_t n_;                                         \
        if (RN_UNLIKELY(d_->kind == RN__FD_FILE)) {         \
            do {                                            \
                rn_blocking n_ = result(TRY);               \
            } while (n_ == -EINTR);                         \
        } else {                                            \
            for (;;) {                                      \
                n_ = result(TRY);                           \
                if (RN_LIKELY(n_ >= 0))                     \
                    break;                                  \
                if (n_ == -EINTR)                           \
                    continue;                               \
                if (n_ != -EAGAIN && n_ != -EWOULDBLOCK)    \
                    break;                                  \
                int w_ = rn__desc_wait(d_, side, deadline); \
                if (w_ != 0) {                              \
                    n_ = w_;                                \
                    break;                                  \
                }                                           \
            }                                               \
        }                                                   \
        rn__desc_leave(d_);                                 \
        return n_;                                          \
    } while (0)

#endif
