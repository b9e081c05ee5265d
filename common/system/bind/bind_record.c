// SPDX-License-Identifier: BSD-3-Clause
#include "bind_record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A line "noiommu", and for each device a line "<name> <our driver> <driver before> <override
 * before> <vendor>:<device>", "-" for none. The last part is not in files of older knits.
 */

void knit_bind_record(struct knit_bind_record *r, const struct knit_pci *dev, const char *ours)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", dev->name);
	r->vendor = dev->vendor;
	r->device = dev->device;
	snprintf(r->ours, sizeof(r->ours), "%s", ours);
	snprintf(r->driver, sizeof(r->driver), "%s", dev->driver);
	snprintf(r->override, sizeof(r->override), "%s", dev->override);
}

bool knit_bind_record_is_of(const struct knit_bind_record *r, const struct knit_pci *dev)
{
	return r->vendor == 0 || (r->vendor == dev->vendor && r->device == dev->device);
}

static void driver_copy(char to[KNIT_DRIVER_NAME], const char from[KNIT_DRIVER_NAME])
{
	memcpy(to, from, KNIT_DRIVER_NAME);
}

void knit_bind_record_anew(struct knit_bind_record *r, const struct knit_pci *dev, const char *ours)
{
	struct knit_bind_record old = *r;

	knit_bind_record(r, dev, ours);
	if (!knit_bind_record_is_of(&old, dev))
		return;
	if (dev->driver[0] == '\0' || strcmp(dev->driver, old.ours) == 0) {
		driver_copy(r->driver, old.driver);
		driver_copy(r->override, old.override);
	} else if (strcmp(dev->override, old.ours) == 0 || knit_bind_named_for_probe(dev, &old)) {
		driver_copy(r->override, old.override);
	}
}

static bool driver_name_ok(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "-_.");

	return len > 0 && len < KNIT_DRIVER_NAME && text[len] == '\0' && text[0] != '.';
}

static bool take_name(const char *text, char out[KNIT_DRIVER_NAME])
{
	out[0] = '\0';
	if (strcmp(text, "-") == 0)
		return true;
	if (!driver_name_ok(text))
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool take_id(const char *text, struct knit_bind_record *r)
{
	unsigned int vendor, device;
	int len = -1;

	if (sscanf(text, "%4x:%4x%n", &vendor, &device, &len) != 2 || text[len] != '\0')
		return false;
	r->vendor = vendor;
	r->device = device;
	return true;
}

static bool parse_line(const char *line, struct knit_bind_records *recs)
{
	struct knit_bind_record *r = &recs->r[recs->n];
	char name[32], ours[64], driver[64], override[64], id[16];
	int n;

	if (strcmp(line, "noiommu\n") == 0) {
		recs->noiommu = true;
		return true;
	}
	n = sscanf(line, "%31s %63s %63s %63s %15s", name, ours, driver, override, id);
	if (recs->n == KNIT_BIND_RECORDS || n < 4 || !knit_pci_parse(name, r->name) ||
	    !take_name(ours, r->ours) || !take_name(driver, r->driver) ||
	    !take_name(override, r->override) || (n == 5 && !take_id(id, r)))
		return false;
	recs->n++;
	return true;
}

int knit_bind_records_read(const char *path, struct knit_bind_records *recs)
{
	char line[256];
	int ret = 0;
	FILE *in;

	memset(recs, 0, sizeof(*recs));
	in = fopen(path, "re");
	if (in == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (ret == 0 && fgets(line, sizeof(line), in))
		if (!parse_line(line, recs))
			ret = -EINVAL;
	fclose(in);
	return ret;
}

static const char *driver_or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static void records_print(FILE *out, const struct knit_bind_records *recs)
{
	const struct knit_bind_record *r;
	unsigned int i;

	if (recs->noiommu)
		fputs("noiommu\n", out);
	for (i = 0; i < recs->n; i++) {
		r = &recs->r[i];
		fprintf(out, "%s %s %s %s", r->name, driver_or_dash(r->ours),
			driver_or_dash(r->driver), driver_or_dash(r->override));
		if (r->vendor)
			fprintf(out, " %04x:%04x", r->vendor, r->device);
		fputc('\n', out);
	}
}

int knit_bind_records_write(const char *path, const struct knit_bind_records *recs)
{
	char tmp[PATH_MAX];
	int err = 0;
	FILE *out;

	if (recs->n == 0 && !recs->noiommu)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	out = fopen(tmp, "we");
	if (out == NULL)
		return -errno;
	records_print(out, recs);
	if (ferror(out))
		err = EIO;
	if (fclose(out) != 0)
		err = errno;
	if (err == 0 && rename(tmp, path) < 0)
		err = errno;
	if (err)
		unlink(tmp);
	return -err;
}

bool knit_bind_named_for_probe(const struct knit_pci *dev, const struct knit_bind_record *r)
{
	return strcmp(dev->driver, r->driver) == 0 && strcmp(dev->override, r->driver) == 0;
}
