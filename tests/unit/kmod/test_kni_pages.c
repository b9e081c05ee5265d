// SPDX-License-Identifier: BSD-3-Clause
#include "kni_pages.h"
#include "unit.h"

#include <linux/mm.h>
#include <linux/topology.h>

#include <stdlib.h>

#define QUARTER 1024u
#define PIECES 512u /* of a large page */

static struct kni_pages pages;
static unsigned int made, alive;
static int node;
static bool no_large, none, reserve;

static struct page *page_new(unsigned int order)
{
	struct page *page = calloc(1, sizeof(*page));

	*page = (struct page){ .count = 1, .order = order, .node = node, .reserve = reserve };
	made++;
	alive++;
	return page;
}

struct page *dev_alloc_page(void)
{
	return none ? NULL : page_new(0);
}

struct page *alloc_pages(unsigned int gfp, unsigned int order)
{
	ck_assert(gfp & __GFP_COMP);
	return no_large || none ? NULL : page_new(order);
}

void free_page_of_test(struct page *page)
{
	alive--;
	free(page);
}

int numa_mem_id(void)
{
	return node;
}

static void setup(void)
{
	pages = (struct kni_pages){ .most = 4 };
}

/* All that was given away has come back: nothing may be left. */
static void teardown(void)
{
	kni_pages_free(&pages);
	ck_assert_uint_eq(alive, 0);
}

static struct kni_piece take(unsigned int least, unsigned int most)
{
	struct kni_piece piece;

	ck_assert(kni_pages_take(&pages, least, most, &piece));
	ck_assert_uint_ge(piece.len, least);
	ck_assert_uint_le(piece.len, most);
	ck_assert_uint_le(piece.offset + piece.len, page_size(piece.page));
	return piece;
}

static struct page *take_page(void)
{
	struct kni_piece piece = take(PAGE_SIZE, PAGE_SIZE);

	ck_assert_uint_eq(piece.offset, 0);
	return piece.page;
}

START_TEST(pieces_do_not_overlap)
{
	struct kni_piece piece[9];
	unsigned int i;

	for (i = 0; i < 9; i++)
		piece[i] = take(QUARTER, QUARTER);
	for (i = 0; i < 9; i++) {
		ck_assert_uint_eq(piece[i].offset, i % 4 * QUARTER);
		ck_assert_ptr_eq(piece[i].page, piece[i / 4 * 4].page);
	}
	ck_assert_uint_eq(made, 3);
	for (i = 0; i < 9; i++)
		put_page(piece[i].page);
}
END_TEST

START_TEST(rest_of_a_page)
{
	struct kni_piece first = take(QUARTER, QUARTER), rest = take(QUARTER, 100 * PAGE_SIZE);
	struct kni_piece other;

	ck_assert_ptr_eq(rest.page, first.page);
	ck_assert_uint_eq(rest.len, PAGE_SIZE - QUARTER);
	other = take(1, 7);
	ck_assert_ptr_ne(other.page, first.page);
	put_page(first.page);
	put_page(rest.page);
	put_page(other.page);
}
END_TEST

START_TEST(used_again)
{
	unsigned int i;

	for (i = 0; i < 100000; i++)
		put_page(take_page());
	ck_assert_uint_eq(made, 1);
}
END_TEST

/* One piece of it is enough. */
START_TEST(not_while_held)
{
	struct kni_piece held = take(QUARTER, QUARTER);
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		struct kni_piece piece = take(QUARTER, QUARTER);

		ck_assert(piece.page != held.page || piece.offset != held.offset);
		put_page(piece.page);
	}
	ck_assert_uint_eq(made, 2);
	put_page(held.page);
}
END_TEST

START_TEST(bounded)
{
	struct page *page[100];
	unsigned int i;

	for (i = 0; i < 100; i++)
		page[i] = take_page();
	ck_assert_uint_eq(pages.n, 4);
	for (i = 0; i < 100; i++)
		put_page(page[i]);
	ck_assert_uint_eq(alive, 4);
	for (i = 0; i < 100; i++)
		put_page(take_page());
	ck_assert_uint_eq(made, 100);
}
END_TEST

/* What the stack keeps for long costs one page, once. */
START_TEST(one_is_kept)
{
	struct page *kept, *page[3];
	unsigned int i, k;

	kept = take_page();
	for (i = 0; i < 1000; i++) {
		for (k = 0; k < 3; k++)
			page[k] = take_page();
		for (k = 0; k < 3; k++) {
			ck_assert_ptr_ne(page[k], kept);
			put_page(page[k]);
		}
	}
	ck_assert_uint_le(made, 5);
	put_page(kept);
}
END_TEST

/* Of a page that was made elsewhere nothing is used again. */
START_TEST(far_away)
{
	struct page *page = take_page();

	put_page(page);
	node = 1;
	ck_assert_ptr_ne(take_page(), page);
	ck_assert_uint_eq(made, 2);
	ck_assert_uint_eq(alive, 1);
	put_page(pages.page[0].page);
	node = 0;
}
END_TEST

START_TEST(from_the_reserve)
{
	reserve = true;
	put_page(take_page());
	reserve = false;
	put_page(take_page());
	ck_assert_uint_eq(made, 2);
	ck_assert_uint_eq(alive, 1);
}
END_TEST

START_TEST(no_memory)
{
	struct kni_piece piece;
	struct page *page;

	none = true;
	ck_assert(!kni_pages_take(&pages, 1, 1, &piece));
	none = false;
	page = take_page();
	none = true;
	ck_assert(!kni_pages_take(&pages, 1, 1, &piece));
	put_page(page);
	ck_assert_ptr_eq(take_page(), page);
	put_page(page);
	none = false;
}
END_TEST

START_TEST(large)
{
	struct kni_piece piece, rest;

	pages.order = 3;
	piece = take(2048, 65536);
	ck_assert_uint_eq(piece.len, 8 * PAGE_SIZE);
	no_large = true;
	rest = take(2048, 32768);
	ck_assert_uint_eq(rest.len, PAGE_SIZE);
	put_page(piece.page);
	put_page(rest.page);
	no_large = false;
}
END_TEST

/* More pieces of a page than are paid for in advance. */
START_TEST(many_pieces)
{
	static struct kni_piece piece[PIECES];
	unsigned int i, round, failed = 0;

	pages.order = 3;
	for (round = 0; round < 200; round++) {
		for (i = 0; i < PIECES; i++)
			failed += !kni_pages_take(&pages, 1, 1, &piece[i]);
		ck_assert_uint_eq(failed, 0);
		for (i = 0; i < PIECES; i++)
			put_page(piece[i].page);
	}
	ck_assert_uint_le(made, 4);
}
END_TEST

KNIT_SUITE(kni_pages)
{
	TCase *c = tcase_create("pages");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, pieces_do_not_overlap);
	tcase_add_test(c, rest_of_a_page);
	tcase_add_test(c, used_again);
	tcase_add_test(c, not_while_held);
	tcase_add_test(c, bounded);
	tcase_add_test(c, one_is_kept);
	tcase_add_test(c, far_away);
	tcase_add_test(c, from_the_reserve);
	tcase_add_test(c, no_memory);
	tcase_add_test(c, large);
	tcase_add_test(c, many_pieces);
	suite_add_tcase(s, c);
}
