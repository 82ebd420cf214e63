/* SPDX-License-Identifier: ISC */

#include "base/list.h"

#include "../cases.h"

struct item {
	int number;
	struct list node;
};

static void
assert_items(struct list *head, const int *numbers)
{
	struct list *node = head->next;

	for (; *numbers != 0; numbers++, node = node->next) {
		assert_ptr_not_equal(node, head);
		assert_int_equal(list_entry(node, struct item, node)->number,
		    *numbers);
		assert_ptr_equal(node->next->prev, node);
	}
	assert_ptr_equal(node, head);
}

static void
test_list(void **state)
{
	struct item a = { .number = 1 }, b = { .number = 2 },
		    c = { .number = 3 };
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	list_append(&head, &a.node);
	list_append(&head, &b.node);
	list_append(&head, &c.node);
	assert_false(list_is_empty(&head));
	assert_items(&head, (const int[]){ 1, 2, 3, 0 });
	list_remove(&b.node);
	assert_items(&head, (const int[]){ 1, 3, 0 });
	/* Out once more: allowed, and nothing happens. */
	list_remove(&b.node);
	assert_items(&head, (const int[]){ 1, 3, 0 });
	list_remove(&a.node);
	list_remove(&c.node);
	assert_true(list_is_empty(&head));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
