// A range is the loop that one would write by hand; what it keeps for itself is optimized away.
// calls: rn_hchan_recv
// instructions: 30
#include <runnel.h>

int use(recv_chan(int) c);
int use(recv_chan(int) c)
{
    int sum = 0;
    chan_range (v, c)
        sum += v;
    return sum;
}
