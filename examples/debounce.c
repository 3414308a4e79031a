/*
 * debounce.c - many changes in a row, one reaction, when it has become quiet.
 *
 * Go idiom: t := time.AfterFunc(d, save); on each change t.Reset(d).
 * Rule: rn_after_func runs a function in a goroutine of its own when it is time, and rn_timer_reset puts
 * that off. Putting a timer off costs next to nothing, so it may be done for every keystroke.
 */
#include <runnel.h>
#include <stdio.h>

typedef struct document {
    rn_timer save_later;
    _Atomic(int) changes; /* by the editor, read when it is saved */
    chan(int) saved;
} document;

static void save(void *arg)
{
    document *d = arg;
    chan_send(d->saved, d->changes);
}

static void edit(document *d)
{
    d->changes++;
    rn_timer_reset(&d->save_later, 100 * RN_MS);
}

int main(void)
{
    static document d;
    d.saved = chan_make(int, 1);
    rn_after_func(&d.save_later, RN_HOUR, save, &d);

    for (int burst = 1; burst <= 2; burst++) {
        for (int i = 0; i < 500; i++)
            edit(&d);
        int changes = 0;
        chan_recv(d.saved, &changes);
        printf("saved once, with %d changes\n", changes);
    }
    edit(&d);
    printf("closed before it was saved: %s\n", rn_timer_stop(&d.save_later) ? "yes" : "no");
    save(&d); /* at once then */
    chan_recv(d.saved, NULL);
    chan_unref(d.saved);
    return 0;
}
