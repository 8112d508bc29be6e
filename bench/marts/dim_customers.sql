select * from history where valid_to is null and not is_deleted
