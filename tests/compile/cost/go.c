// Starting a goroutine stores its arguments and makes one call.
// calls: rn_go_start worker
// instructions: 16
#include <runnel.h>

void worker(int id, recv_chan(int) in);
GO_FUNC(worker, int, recv_chan(int));

void use(recv_chan(int) c);
void use(recv_chan(int) c)
{
    go(worker, 3, c);
}
