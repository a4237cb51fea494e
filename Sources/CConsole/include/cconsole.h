#ifndef TAKUMI_CCONSOLE_H
#define TAKUMI_CCONSOLE_H

struct takumi_console_file {
    /// The path below Console/.
    const char *name;
    const unsigned char *data;
    unsigned long length;
};

/// The file at an index, or null past the last one.
const struct takumi_console_file *takumi_console_file(int index);

#endif
