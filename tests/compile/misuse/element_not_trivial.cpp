// Elements are copied as bytes.
// expect-c++: channel elements are copied as bytes: this type is not trivially copyable
#include <runnel.h>

#include <string>

void use();
void use()
{
#ifdef MISUSE
    chan_unref(chan_make(std::string, 1));
#else
    chan_unref(chan_make(const char *, 1));
#endif
}
