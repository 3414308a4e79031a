// A context is given a value of another type than the key's.
// expect: (incompatible|makes integer from pointer)
// expect-c++: (cannot convert|invalid conversion|cannot initialize)
#include <runnel.h>

static const rn_ctx_key_of(int) port_key = RN_CTX_KEY("port");

extern rn_ctx *set(rn_ctx *ctx);
rn_ctx *set(rn_ctx *ctx)
{
#ifdef MISUSE
    return rn_ctx_with_value(ctx, &port_key, "8080");
#else
    return rn_ctx_with_value(ctx, &port_key, 8080);
#endif
}
