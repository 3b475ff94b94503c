-- The double-entry ledger of svc_payment. A row is a violation: (where, what).

-- name: transfers_sum_to_zero
-- The postings of every transfer sum to zero per currency.
select 'transfer ' || transfer_id,
    'its postings in ' || currency_code || ' sum to ' || sum(amount_minor)
from ledger_postings
group by transfer_id, currency_code
having sum(amount_minor) <> 0
order by 1;

-- name: transfers_are_whole
-- Every transfer has the number of postings that it was made with.
select 'transfer ' || transfer_id, count(p.position) || ' postings instead of ' || posting_count
from ledger_transfers
left join ledger_postings as p using (transfer_id)
group by transfer_id, posting_count
having count(p.position) <> posting_count
order by 1;

-- name: balances_follow_postings
-- Every balance is the sum of the account's postings.
select kind || ' account ' || account_id,
    'balance ' || balance_minor || ', postings ' || coalesce(sum(amount_minor), 0)
from ledger_accounts
left join ledger_postings using (account_id)
group by account_id, kind, balance_minor
having balance_minor <> coalesce(sum(amount_minor), 0)
order by 1;

-- name: balances_are_not_negative
-- Only the outside world may owe; no person's account is negative.
select kind || ' account ' || account_id, 'balance ' || balance_minor
from ledger_accounts
where balance_minor < 0 and kind <> 'PROCESSOR_CLEARING'
order by 1;

-- name: money_comes_from_deposits
-- What the outside world brought in is the sum of the succeeded deposits, per currency.
select 'currency ' || currency_code,
    coalesce(brought_minor, 0) || ' came in, deposits are worth ' || coalesce(deposited_minor, 0)
from (
    select currency_code, -sum(balance_minor) as brought_minor
    from ledger_accounts
    where kind = 'PROCESSOR_CLEARING'
    group by currency_code
) as world
full join (
    select currency_code, sum(amount_minor) as deposited_minor
    from deposits
    where state = 'SUCCEEDED'
    group by currency_code
) as deposited using (currency_code)
where coalesce(brought_minor, 0) <> coalesce(deposited_minor, 0)
order by 1;

-- name: deposits_are_credited_once
-- A deposit succeeded exactly if one transfer of its amount credits its owner.
select 'deposit ' || coalesce(deposit_id, cause_id),
    coalesce(state, 'no deposit') || ' of ' || coalesce(deposits.amount_minor, 0)
    || ', credited ' || coalesce(credited.amount_minor, 0)
from deposits
full join (
    select t.cause_id, a.owner_id, p.currency_code, p.amount_minor
    from ledger_transfers as t
    join ledger_postings as p using (transfer_id)
    join ledger_accounts as a using (account_id)
    where t.kind = 'DEPOSIT' and a.kind = 'AVAILABLE'
) as credited on credited.cause_id = deposit_id
where (coalesce(state, '') = 'SUCCEEDED') <> (cause_id is not null)
    or (
        cause_id is not null
        and (user_id, deposits.currency_code, deposits.amount_minor)
        is distinct from (owner_id, credited.currency_code, credited.amount_minor)
    )
order by 1;

-- name: settlements_are_paid_once
-- An auction is settled exactly if one transfer of the price leads to its seller.
select 'auction ' || coalesce(auction_id, cause_id),
    'settled ' || coalesce(settlements.amount_minor, 0) || ', paid ' || coalesce(paid_minor, 0)
from settlements
full join (
    select t.cause_id, a.owner_id, p.currency_code, p.amount_minor as paid_minor
    from ledger_transfers as t
    join ledger_postings as p using (transfer_id)
    join ledger_accounts as a using (account_id)
    where t.kind = 'SETTLEMENT' and a.kind = 'PENDING_EARNINGS'
) as paid on paid.cause_id = auction_id
where (seller_id, settlements.currency_code, settlements.amount_minor)
    is distinct from (owner_id, paid.currency_code, paid_minor)
order by 1;

-- name: commands_have_one_answer
-- Every command that was taken has its first answer, and each key was taken once.
select 'command ' || method || ' ' || request_id || ' of ' || principal,
    count(*) || ' entries, ' || count(coalesce(refusal_reason, response::text)) || ' answers'
from command_results
group by principal, method, request_id
having count(*) <> 1 or count(coalesce(refusal_reason, response::text)) <> 1
order by 1;

-- name: deposits_are_asked_once
-- One request id of one person opened at most one deposit.
select 'person ' || user_id, count(*) || ' deposits for the request ' || request_id
from deposits
group by user_id, request_id
having count(*) <> 1
order by 1;
