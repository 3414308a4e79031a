// A send of an int is: store the value, take two addresses, call, test, jump; and the cold call.
// calls: rn_hchan_send rn_hchan_send_on_closed
// instructions: 15
#include <runnel.h>

void use(chan(int) c, int i);
void use(chan(int) c, int i)
{
    chan_send(c, i);
}
