"""Signals: what two or three index lines say about each other, and what may be chance about it.

Plain functions on arrays first, then the study that aligns the lines by what was known when and
puts the functions to them. Must not know market files, publication or pages; of baskets it knows
the members, for their own figures. Of the functions on arrays a caller wants

=============  ====================================================================================
module         functions
=============  ====================================================================================
strength       relative_strength, momentum, percentile, zscore
correlation    ratio_family, partial_correlation (and `indexer.rolling_correlation` and the like)
inference      partial_p_value, holm, correlation_interval, level_null, block_length
catchup        catch_up_states, kind_of, chance_rates
evaluate       episodes, evaluate, sign_test, state_returns, return_moments, deflated_sharpe
gap            beta_gap, dimson_beta
intervals      interval_table
leadlag        lead_lag, whitened
rotation       rotation, quadrant
reversion      half_life, unit_root_rejected
breadth        breadth, breadth_outperform, diffusion, member_correlation, dispersion, crowding
events         event_study
overlay        divergence
regression     gram_schmidt
=============  ====================================================================================

and, of whole histories, `issuers` and `matrix`. `align`, `pairs`, `ratios`, `members` and `study`
put them to a study; `signal`, `tables` and `result` hold what comes of it, and `caveats` says what
a reader must know of it. What of a line is rounding, `rounding` says for all of them.
"""
