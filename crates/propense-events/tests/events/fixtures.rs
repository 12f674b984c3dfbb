//! One small file for each format, and for each dress of it.

use propense_events::Format;

const RETAIL: &str = "\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,\"HEART, WHITE\",6.0,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,71053,LANTERN,2,2010-12-01 08:27:00,3.0,17850.0,United Kingdom
536366,22633,,1,2010-12-01 08:28:00,-1.85,,France
C536379,85123A,HEART,-1,2010-12-01 09:41:00,2.55,17850.0,United Kingdom
536367,22633,broken,-9,2010-12-01 08:34:00,0,,United Kingdom
A563185,B,Adjust bad debt,1,2011-08-12 14:50:00,11062.06,,United Kingdom
";

const SHOPPERS: &str = "\
Administrative,Administrative_Duration,Informational,Informational_Duration,ProductRelated,ProductRelated_Duration,BounceRates,ExitRates,PageValues,SpecialDay,Month,OperatingSystems,Browser,Region,TrafficType,VisitorType,Weekend,Revenue
3,80.5,0,0.0,1,0.0,0.2,0.2,0.0,0.0,Feb,1,1,1,1,Returning_Visitor,False,False
0,0.0,0,-1.0,2,64.0,0.0,0.1,12.5,0.8,May,2,2,1,2,New_Visitor,TRUE,TRUE
0,0.0,0,,2,64.0,0.0,0.1,many,0.8,May,2,2,1,2,New_Visitor,maybe,
0,0.0,0,0.0,1
0,0.0,0,0.0,2,64.0,0.0,0.1,12.5,0.8,May,2,2,1,2,New_Visitor,TRUE,perhaps
";

const TAOBAO: &str = "\
1,501,7100,pv,1511600000
1,501,7100,pv,1511600000
1,501,7100,buy,1511600005
1,502,7101,cart,1511600700
2,502,7101,fav,1511539200
2,502,7101,fav,1512316800
2,502,7101,fav,1512316801
2,502,7101,stare,1511600700
2,502
";

const JDATA: &str = "\
action_time,user_id,sku_id,type,sessionId,index
2018-03-02 10:00:06,9001,81,1,42,506
2018-03-02 10:00:11,9001,82,2,42,511
2018-03-02 10:00:12,9002,83,3,93.0,512
2018-03-02 10:00:18,9003,84,4,129,518
2018-03-02 25:00:19,9004,85,1,137,519
2018-03-02 10:00:19,9004,85,7,137,519
2018-03-02 10:00:19,,85,1,137,519
";

const JD_MICRO: &str = "\
61+5+44+14+9 62+6+44+13+19 62+9+44+5+19

62+1+44+5+19 oops 62+10+44+5+19 62+11+44+5+19
nothing here
";

const YOOCHOOSE_NAMED: &str = "\
session_id,timestamp,item_id,category
1,2015-06-01T08:00:00.250Z,7001,0
1,2015-06-01T08:01:00.000Z,7003,5
";

const OWN: &str = "\
timestamp,event,user_id,session_id,item_id,item_name,item_category,price,quantity,page_type,value,context,event_no
1700000000000,view_item,u,s,A,Heart,Hearts,2.5,,product,,\"{\"\"device\"\":\"\"phone\"\",\"\"age\"\":3.0,\"\"new\"\":true}\",1
1700000001000,purchase,u,s,A,Heart,Hearts,2.5,2,checkout,8.5,,2
1700000001000,purchase,u,s,B,,,3.5,1,,,,2
1700000001000,purchase,u,s,B,,,3.5,1,,,,3
1700000002000,telepathy,u,s,,,,,,,,,4
,view_item,u,s,A,,,,,,,,5
1000,view_item,u,s,A,,,,,,,,6
later,view_item,u,s,A,,,,,,,,7
1700000003000,,u,s,A,,,,,,,,8
1700000004000,view_item,u,s,A,,,cheap,-3,,,not json,9
";

/// Every fixture with the format that it must be recognised as.
pub(crate) const FIXTURES: [(Format, &str); 21] = [
    (Format::Events, OWN),
    (Format::Events, include_str!("fixtures/events.jsonl")),
    (Format::Ga4, include_str!("fixtures/ga4.jsonl")),
    (Format::Ga4, include_str!("fixtures/data_layer.jsonl")),
    (
        Format::Ga4,
        include_str!("fixtures/enhanced_ecommerce.jsonl"),
    ),
    (Format::Segment, include_str!("fixtures/segment.jsonl")),
    (Format::Snowplow, include_str!("fixtures/snowplow.jsonl")),
    (Format::Snowplow, include_str!("fixtures/snowplow.tsv")),
    (
        Format::RetailRocket,
        include_str!("fixtures/retailrocket.csv"),
    ),
    (Format::Rees46, include_str!("fixtures/rees46.csv")),
    (
        Format::Yoochoose,
        include_str!("fixtures/yoochoose_clicks.csv"),
    ),
    (
        Format::Yoochoose,
        include_str!("fixtures/yoochoose_buys.csv"),
    ),
    (
        Format::Yoochoose,
        include_str!("fixtures/yoochoose_sample.tsv"),
    ),
    (Format::Otto, include_str!("fixtures/otto.jsonl")),
    (Format::Otto, include_str!("fixtures/otto.csv")),
    (Format::OnlineRetail, RETAIL),
    (Format::OnlineShoppers, SHOPPERS),
    (Format::Taobao, TAOBAO),
    (Format::Jdata, JDATA),
    (Format::JdMicro, JD_MICRO),
    (Format::Yoochoose, YOOCHOOSE_NAMED),
];

/// Whether a fixture is a table separated by commas whose first line names the columns.
pub(crate) fn is_named_table(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    !first.starts_with('{') && first.contains(',') && !first.contains(|c: char| c.is_ascii_digit())
}
