/*
 * parallel_map.c - a loop whose rounds run at the same time, a few at a time.
 *
 * Go idiom: g.SetLimit(n); for i := range xs { g.Go(func() error { ys[i] = f(xs[i]); ... }) };
 * g.Wait().
 * Rule: each round writes to its own place, so nothing need be locked; the wait makes all of it
 * visible. The first failure ends the loop, and a panic comes out where the loop stands.
 */
#include <errno.h>
#include <runnel.h>
#include <stdio.h>

enum { N = 1000 };

struct job {
    long in[N], out[N];
};

/* Steps of the Collatz sequence; 0 has none. */
static int collatz(rn_ctx *ctx, size_t i, void *arg)
{
    struct job *job = arg;
    long x = job->in[i];
    if (x <= 0)
        return -EDOM;
    for (; x != 1; job->out[i]++) {
        x = x % 2 ? 3 * x + 1 : x / 2;
        if (job->out[i] % 64 == 0 && rn_ctx_err(ctx) != 0)
            return rn_ctx_err(ctx); /* another round has failed */
    }
    return 0;
}

int main(void)
{
    static struct job job;
    for (int i = 0; i < N; i++)
        job.in[i] = i + 1;
    int err = rn_parallel(rn_ctx_background(), N, 4, collatz, &job);
    long longest = 0;
    for (int i = 0; i < N; i++)
        if (job.out[i] > job.out[longest])
            longest = i;
    printf("%d: %ld takes %ld steps\n", err, job.in[longest], job.out[longest]);

    job.in[500] = 0;
    err = rn_parallel(rn_ctx_background(), N, 4, collatz, &job);
    printf("with a zero among them: %s\n", err == -EDOM ? "refused" : "?");
    return 0;
}
