"""What happens after a plan: submit, watch and collect jobs, send live, plan failures again."""
