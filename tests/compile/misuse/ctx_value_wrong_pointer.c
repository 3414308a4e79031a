// A context's value is received through a pointer to another type than the key's.
// expect: incompatible.pointer.type
// expect-c++: (cannot convert|invalid conversion|cannot initialize)
#include <runnel.h>

static const rn_ctx_key_of(int) port_key = RN_CTX_KEY("port");

extern int ask(rn_ctx *ctx);
int ask(rn_ctx *ctx)
{
#ifdef MISUSE
    const long *port = rn_ctx_value(ctx, &port_key);
#else
    const int *port = rn_ctx_value(ctx, &port_key);
#endif
    return (int)*port;
}
