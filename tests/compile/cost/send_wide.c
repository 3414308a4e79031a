// Three sends of a large struct share one place on the stack.
// calls: rn_hchan_send rn_hchan_send_on_closed memcpy
// instructions: 60
// stack: 2300
#include <runnel.h>

struct wide {
    long n[256];
};

void use(chan(struct wide) c, const struct wide *w);
void use(chan(struct wide) c, const struct wide *w)
{
    chan_send(c, w[0]);
    chan_send(c, w[1]);
    chan_send(c, w[2]);
}
