/*
 * labels.c - who is this goroutine? Name, labels, values of its own, and a loop that gives way.
 *
 * Go idiom: pprof.Do with labels; a context value for what belongs to one request.
 * Rule: children begin with their creator's labels. A value declared with rn_local exists once per
 * goroutine, moves with it between threads, which no thread-local variable does, and is dropped at its end.
 */
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>

struct trace {
    char *notes;
    size_t n;
};

static void free_trace(void *value)
{
    struct trace *t = value;
    printf("request %s: %zu steps\n", rn_label("request"), t->n);
    free(t->notes);
}

static rn_local(struct trace) trace = RN_LOCAL_INIT(free_trace);

/* Deep inside of some library, which does not know who calls it. */
static void step(char c)
{
    struct trace *t = rn_local_ptr(&trace);
    char *p = realloc(t->notes, t->n + 1);
    if (p == NULL)
        panic("no memory");
    p[t->n++] = c;
    t->notes = p;
    rn_checkpoint(); /* it may go on for long: let others run now and then */
}

static void worker(int steps)
{
    for (int i = 0; i < steps; i++)
        step('x');
}
GO_FUNC(worker, int);

static void request(int id)
{
    char text[16];
    snprintf(text, sizeof text, "%d", id);
    rn_set_label("request", text);
    step('.');
    go(worker, 100 * id); /* has the label, too */
}
GO_FUNC(request, int);

static void wait_for_all(void)
{
    while (rn_num_goroutine() > 1)
        rn_yield();
}

int main(void)
{
    rn_set_name("main");
    for (int id = 1; id <= 2; id++) {
        go(request, id);
        wait_for_all();
    }
    printf("%s: done, labels of its own: %s\n", rn_name(),
           rn_label("request") != NULL ? "yes" : "none");
    return 0;
}
