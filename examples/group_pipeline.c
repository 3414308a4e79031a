/*
 * group_pipeline.c - a pipeline whose stages live and fail together.
 *
 * Go idiom: g, ctx := errgroup.WithContext(ctx); g.Go(...); err := g.Wait().
 * Rule: the first stage that fails cancels the context, and the others, who wait with that context,
 * end by themselves. The scope of the group ends after the last of them: none leaks, on whatever
 * path.
 */
#include <errno.h>
#include <runnel.h>
#include <stdio.h>

enum { ROWS = 100, PARSERS = 3 };

static int read_rows(rn_ctx *ctx, send_chan(int) rows)
{
    for (int i = 1; i <= ROWS; i++) {
        int err = chan_put_ctx(rows, ctx, i);
        if (err != 0)
            return err;
    }
    chan_close(rows);
    return 0;
}
GO_FUNC(read_rows, rn_ctx *, send_chan(int));

static int parse_rows(rn_ctx *ctx, recv_chan(int) rows, int bad, send_chan(int) squares)
{
    int row, err;
    while ((err = chan_take_ctx(rows, ctx, &row)) == 0) {
        if (row == bad)
            return -EILSEQ;
        if ((err = chan_put_ctx(squares, ctx, row * row)) != 0)
            return err;
    }
    return err == -EPIPE ? 0 : err; /* closed and drained */
}
GO_FUNC(parse_rows, rn_ctx *, recv_chan(int), int, send_chan(int));

static int add_up(rn_ctx *ctx, recv_chan(int) squares, long *sum)
{
    for (int i = 0; i < ROWS; i++) {
        int square, err = chan_take_ctx(squares, ctx, &square);
        if (err != 0)
            return err;
        *sum += square;
    }
    return 0;
}
GO_FUNC(add_up, rn_ctx *, recv_chan(int), long *);

/* bad: a row that cannot be parsed. */
static int import(int bad, long *sum)
{
    chan_auto(int) rows = chan_make(int, 4);
    chan_auto(int) squares = chan_make(int, 4);
    rn_group_auto(g, rn_ctx_background());
    rn_group_go(&g, read_rows, rn_group_ctx(&g), rows);
    for (int i = 0; i < PARSERS; i++)
        rn_group_go(&g, parse_rows, rn_group_ctx(&g), rows, bad, squares);
    rn_group_go(&g, add_up, rn_group_ctx(&g), squares, sum);
    return rn_group_wait(&g);
}

int main(void)
{
    long sum = 0;
    int err = import(-1, &sum);
    printf("good file: %d, sum %ld\n", err, sum);
    err = import(50, &sum);
    printf("bad row: %s\n", err == -EILSEQ ? "the parser's error" : "something else");
    while (rn_num_goroutine() > 1) /* the last members are on their way out */
        rn_yield();
    printf("no goroutine is left\n");
    return 0;
}
