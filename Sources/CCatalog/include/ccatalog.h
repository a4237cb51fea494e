#ifndef TAKUMI_CCATALOG_H
#define TAKUMI_CCATALOG_H

struct takumi_catalog_file {
    /// The path below Catalog/, or `programs/` and the name of a file of Python/takumi_runtime/.
    const char *name;
    const unsigned char *data;
    unsigned long length;
};

/// The file at an index, or null past the last one.
const struct takumi_catalog_file *takumi_catalog_file(int index);

#endif
