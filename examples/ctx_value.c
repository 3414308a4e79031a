/*
 * ctx_value.c - values that belong to a request travel with its context.
 *
 * Go idiom: context.WithValue(ctx, key, v) and ctx.Value(key).(T).
 * Rule: a key is an object, so that two of the same name are never mixed up, and its type is the
 * value's: there is no cast to get wrong. The nearest value counts. The context keeps a copy.
 */
#include <runnel.h>
#include <stdio.h>

struct user {
    int id;
    char name[16];
};

static const rn_ctx_key_of(struct user) user_key = RN_CTX_KEY("user");
static const rn_ctx_key_of(int) trace_key = RN_CTX_KEY("trace");

static void log_line(rn_ctx *ctx, const char *what)
{
    const struct user *u = rn_ctx_value(ctx, &user_key);
    const int *trace = rn_ctx_value(ctx, &trace_key);
    printf("[trace %d] %s: %s\n", trace != NULL ? *trace : 0, u != NULL ? u->name : "nobody", what);
}

int main(void)
{
    rn_ctx_auto traced = rn_ctx_with_value(rn_ctx_background(), &trace_key, 17);
    rn_ctx_auto ann = rn_ctx_with_value(traced, &user_key, (struct user){1, "ann"});
    rn_ctx_auto limited = rn_ctx_with_cancel(ann);
    rn_ctx_auto as_bob = rn_ctx_with_value(limited, &user_key, (struct user){2, "bob"});

    log_line(rn_ctx_background(), "starts");
    log_line(traced, "accepts");
    log_line(limited, "asks");
    log_line(as_bob, "answers in her name");

    char chain[128];
    rn_ctx_string(as_bob, chain, sizeof chain);
    printf("%s\n", chain);
    return 0;
}
