// Everything that is typed about contexts, in both languages.
// also: c++
#include <runnel.h>

struct user {
    int id;
    char name[8];
};
typedef rn_ctx_key_of(struct user) user_key_type;
extern const user_key_type user_key;
const user_key_type user_key = RN_CTX_KEY("user");
static const rn_ctx_key_of(const char *) text_key = RN_CTX_KEY("text");

extern int all(rn_ctx *parent, chan(int) c, struct user ann);
int all(rn_ctx *parent, chan(int) c, struct user ann)
{
    rn_ctx_auto a = rn_ctx_with_value(parent, &user_key, ann);
    rn_ctx_cancel_auto b = rn_ctx_with_cancel(a);
    rn_ctx_auto d = rn_ctx_with_value(b, &text_key, "x");
    const struct user *u = rn_ctx_value(d, &user_key);
    const char *const *text = rn_ctx_value(d, &text_key);
    recv_chan(rn_unit) done = rn_ctx_done(d);
    int x = 0;
    int err = chan_put_ctx(c, d, 1) + chan_take_ctx(c, d, &x) + chan_take_ctx(c, d, NULL);
    rn_defer(rn_ctx_end, rn_ctx_ref(b));
    switch (chan_select(on_recv(c, &x), on_ctx(d), on_recv(done, NULL), on_default())) {
    case 0: return x;
    case 1: return rn_ctx_err(d);
    default: return err + u->id + (*text)[0];
    }
}
