// Ctrl-C as a question that can be asked: the evening ends with the rounds that are finished.
#pragma once

namespace kitchen {

// SIGINT and SIGTERM are noticed from here on; the second one ends the program at once.
void notice_interrupts();

// The signal that came, or 0.
[[nodiscard]] int interrupted() noexcept;

}  // namespace kitchen
