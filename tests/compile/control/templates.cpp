// Channels in templates: element types that are only known later.
#include <runnel.h>

template <class T> struct stage {
    chan(T) in, out;

    T step(T v)
    {
        chan_send(in, v);
        chan_range (w, out)
            v = w;
        (void)chan_try_send(in, v);
        (void)chan_put(in, RN_NEVER, v);
        switch (chan_select(on_recv(out, &v), on_send(in, v), on_default())) {
        case 0: chan_close(in);
        }
        return v;
    }

    static stage make(int cap)
    {
        stage s = {chan_make(T, cap), chan_make(T, cap)};
        return s;
    }

    void start()
    {
        chan(T) c = in;
        go([c] { chan_close(c); });
    }
};

template <class T> void close_it(send_chan(T) c)
{
    chan_close(c);
}

struct element {
    int a;
    double b;
};

void use();
void use()
{
    auto s = stage<element>::make(3);
    s.step(element{1, 2.0});
    s.start();
    stage<const char *>::make(0).step("text");
    close_it<element>(s.in);
    auto view = chan_ref(recv_chan(int)(chan_make(int, 1)));
    static_assert(sizeof view == sizeof(void *), "a channel is a pointer");
    chan_send(s.in, {1, 2.0});
    int unused_capture = 0;
    go([=] { (void)unused_capture; });
}
