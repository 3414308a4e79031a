/*
 * shared.h - a header as a mixed program has it: channels in structs and signatures for C and C++.
 */
#ifndef SHARED_H
#define SHARED_H

#include <runnel.h>

RN_EXTERN_C_BEGIN

struct pool {
    chan(int) jobs;
    recv_chan(double) results;
    send_chan(rn_unit) stop;
    chan(chan(const char *)) replies[2];
};
typedef chan(struct pool *) pool_chan;

void pool_run(struct pool *pool, recv_chan(int) in, send_chan(int) out);
pool_chan pool_new(void);
recv_chan(int) pool_results(const struct pool *pool);

RN_EXTERN_C_END

#endif
